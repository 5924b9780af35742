import org.jspecify.annotations.NullMarked;

/** Blobs in a directory. */
@NullMarked
module io.jcontainerd.content {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;

  exports io.jcontainerd.content;
}

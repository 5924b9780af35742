import org.jspecify.annotations.NullMarked;

/** Mounts that the kernel alone cannot do. */
@NullMarked
module io.jcontainerd.mounts {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.linux;

  exports io.jcontainerd.mounts;
}

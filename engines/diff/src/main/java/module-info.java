import org.jspecify.annotations.NullMarked;

/** Tar layers into and out of a mounted tree. */
@NullMarked
module io.jcontainerd.diff {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.linux;
  requires com.github.luben.zstd_jni;

  exports io.jcontainerd.diff;
  exports io.jcontainerd.diff.processor;
}

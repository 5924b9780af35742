import org.jspecify.annotations.NullMarked;

/** Images between registries, the image store and archives: the order of steps only. */
@NullMarked
module io.jcontainerd.transfer {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires com.github.luben.zstd_jni;

  exports io.jcontainerd.transfer;
  exports io.jcontainerd.transfer.archive;
  exports io.jcontainerd.transfer.verify;
}

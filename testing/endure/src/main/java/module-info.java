import org.jspecify.annotations.NullMarked;

/** A real daemon under load, killed and cut off again and again, and checked after each start. */
@NullMarked
module io.jcontainerd.endure {
  requires static transitive org.jspecify;
  requires io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.linux;
  requires io.jcontainerd.client;
  requires io.jcontainerd.testkit;
  requires com.github.luben.zstd_jni;
  requires java.logging;
}

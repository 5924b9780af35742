import org.jspecify.annotations.NullMarked;

/** Measures a daemon beside the distribution's containerd, on the same machine. */
@NullMarked
module io.jcontainerd.bench {
  requires static transitive org.jspecify;
  requires java.logging;
  requires java.management;
  requires java.net.http;
  requires io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.linux;
  requires io.jcontainerd.testkit;
  requires com.github.luben.zstd_jni;
  requires io.jcontainerd.api;
  requires io.grpc;
  requires io.grpc.netty;
  requires io.netty.transport;
}

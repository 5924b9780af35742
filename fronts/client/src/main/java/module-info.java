import org.jspecify.annotations.NullMarked;

/** The Java library: core interfaces over a socket. */
@NullMarked
module io.jcontainerd.client {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires transitive io.jcontainerd.oci;
  requires io.jcontainerd.wire;
  requires io.grpc.netty;
  requires io.netty.transport;
  requires io.netty.common;

  exports io.jcontainerd.client;
}

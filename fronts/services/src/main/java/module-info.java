import org.jspecify.annotations.NullMarked;

/** containerd's gRPC and ttrpc services over core's interfaces. */
@NullMarked
module io.jcontainerd.services {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires transitive io.jcontainerd.api;
  requires transitive io.jcontainerd.ttrpc;
  requires io.jcontainerd.wire;

  exports io.jcontainerd.services;
}

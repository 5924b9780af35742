import org.jspecify.annotations.NullMarked;

/** containerd's gRPC and ttrpc services over core's interfaces. */
@NullMarked
module io.jcontainerd.services {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.wire;
  requires io.jcontainerd.ttrpc;
}

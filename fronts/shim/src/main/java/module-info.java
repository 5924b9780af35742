import org.jspecify.annotations.NullMarked;

/** The shim host: one process that supervises many containers. */
@NullMarked
module io.jcontainerd.shim {
  requires static transitive org.jspecify;
  requires com.google.protobuf;
  requires io.jcontainerd.api;
  requires io.jcontainerd.core;
  requires io.jcontainerd.linux;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.ttrpc;
  requires java.logging;

  exports io.jcontainerd.shim;
  exports io.jcontainerd.shim.launch;
}

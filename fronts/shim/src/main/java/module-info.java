import org.jspecify.annotations.NullMarked;

/** The shim host: one process that supervises many containers. */
@NullMarked
module io.jcontainerd.shim {
  requires static transitive org.jspecify;
  requires io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.wire;
  requires io.jcontainerd.ttrpc;
  requires io.jcontainerd.linux;
}

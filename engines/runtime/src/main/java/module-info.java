import org.jspecify.annotations.NullMarked;

/** Starts shims, speaks to them, finds them again after a restart. */
@NullMarked
module io.jcontainerd.runtime {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.linux;
  requires io.jcontainerd.wire;
  requires io.jcontainerd.ttrpc;
  requires io.jcontainerd.api;

  exports io.jcontainerd.runtime;
  exports io.jcontainerd.runtime.bundle;
  exports io.jcontainerd.runtime.restart;
  exports io.jcontainerd.runtime.sandbox;
  exports io.jcontainerd.runtime.shim;
}

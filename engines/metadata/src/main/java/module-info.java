import org.jspecify.annotations.NullMarked;

/** Namespaced images, containers, leases and content; garbage collection. */
@NullMarked
module io.jcontainerd.metadata {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires transitive io.jcontainerd.store;
  requires io.jcontainerd.api;
  requires com.google.protobuf;

  exports io.jcontainerd.metadata;
}

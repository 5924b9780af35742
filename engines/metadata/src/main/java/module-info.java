import org.jspecify.annotations.NullMarked;

/** Namespaced images, containers, leases and content; garbage collection. */
@NullMarked
module io.jcontainerd.metadata {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.store;
}

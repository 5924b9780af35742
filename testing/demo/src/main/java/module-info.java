import org.jspecify.annotations.NullMarked;

/** The demonstration: a daemon, an image, a registry, a container, and nothing left behind. */
@NullMarked
module io.jcontainerd.demo {
  requires static transitive org.jspecify;
  requires io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.wire;
  requires io.jcontainerd.client;
  requires io.jcontainerd.registry;
  requires io.jcontainerd.testkit;
  requires java.logging;
}

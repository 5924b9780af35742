import org.jspecify.annotations.NullMarked;

/** Resolve, fetch and push over the distribution API. */
@NullMarked
module io.jcontainerd.registry {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires java.net.http;

  exports io.jcontainerd.registry;
}

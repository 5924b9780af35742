import org.jspecify.annotations.NullMarked;

/** Resolve, fetch and push over the distribution API. */
@NullMarked
module io.jcontainerd.registry {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires transitive io.jcontainerd.oci;
  requires java.net.http;
  requires org.tomlj;

  exports io.jcontainerd.registry;
  exports io.jcontainerd.registry.docker;
  exports io.jcontainerd.registry.hosts;
}

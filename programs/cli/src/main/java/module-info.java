import org.jspecify.annotations.NullMarked;

/** The command for people. */
@NullMarked
module io.jcontainerd.cli {
  requires static transitive org.jspecify;
  requires java.logging;
  requires io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires io.jcontainerd.client;
  requires io.jcontainerd.registry;
  requires info.picocli;

  opens io.jcontainerd.cli to
      info.picocli;
}

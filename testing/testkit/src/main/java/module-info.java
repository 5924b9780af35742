import org.jspecify.annotations.NullMarked;

/** Contracts, stand-ins and tree assertions for tests. */
@NullMarked
module io.jcontainerd.testkit {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.oci;
  requires transitive org.junit.jupiter.api;
  requires transitive org.assertj.core;

  exports io.jcontainerd.testkit.contract;
  exports io.jcontainerd.testkit.disk;
  exports io.jcontainerd.testkit.faults;
  exports io.jcontainerd.testkit.files;
  exports io.jcontainerd.testkit.kernel;
  exports io.jcontainerd.testkit.leaks;
  exports io.jcontainerd.testkit.memory;
  exports io.jcontainerd.testkit.process;
  exports io.jcontainerd.testkit.registry;
  exports io.jcontainerd.testkit.remote;
  exports io.jcontainerd.testkit.tasks;
  exports io.jcontainerd.testkit.time;
  exports io.jcontainerd.testkit.tree;
}

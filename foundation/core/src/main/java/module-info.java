import org.jspecify.annotations.NullMarked;

/** Records, interfaces, failures and ports that every other room agrees on. */
@NullMarked
module io.jcontainerd.core {
  requires static transitive org.jspecify;

  exports io.jcontainerd.core;
  exports io.jcontainerd.core.check;
  exports io.jcontainerd.core.containers;
  exports io.jcontainerd.core.content;
  exports io.jcontainerd.core.diff;
  exports io.jcontainerd.core.events;
  exports io.jcontainerd.core.failure;
  exports io.jcontainerd.core.filter;
  exports io.jcontainerd.core.gc;
  exports io.jcontainerd.core.images;
  exports io.jcontainerd.core.introspection;
  exports io.jcontainerd.core.leases;
  exports io.jcontainerd.core.mount;
  exports io.jcontainerd.core.namespaces;
  exports io.jcontainerd.core.operation;
  exports io.jcontainerd.core.ports;
  exports io.jcontainerd.core.registry;
  exports io.jcontainerd.core.sandboxes;
  exports io.jcontainerd.core.snapshots;
  exports io.jcontainerd.core.tasks;
  exports io.jcontainerd.core.transfer;
  exports io.jcontainerd.core.words;
}

import org.jspecify.annotations.NullMarked;

/** Both ways between core records and API messages, failures and status. */
@NullMarked
module io.jcontainerd.wire {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires transitive io.jcontainerd.api;

  exports io.jcontainerd.wire;
  exports io.jcontainerd.wire.streams;
}

import org.jspecify.annotations.NullMarked;

/** Power cuts, kills and failing calls, all of them, against the storage rooms as they are. */
@NullMarked
module io.jcontainerd.crash {
  requires static transitive org.jspecify;
  requires java.logging;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.content;
  requires io.jcontainerd.diff;
  requires io.jcontainerd.linux;
  requires io.jcontainerd.metadata;
  requires io.jcontainerd.snapshots;
  requires transitive io.jcontainerd.store;
  requires transitive io.jcontainerd.testkit;

  exports io.jcontainerd.crash;
}

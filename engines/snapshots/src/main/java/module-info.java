import org.jspecify.annotations.NullMarked;

/** Snapshotters, and their records in the store. */
@NullMarked
module io.jcontainerd.snapshots {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.linux;
  requires transitive io.jcontainerd.store;

  exports io.jcontainerd.snapshots;
  exports io.jcontainerd.snapshots.manifest;
}

import org.jspecify.annotations.NullMarked;

/** The native and overlay snapshotters. */
@NullMarked
module io.jcontainerd.snapshots {
  requires static transitive org.jspecify;
  requires transitive io.jcontainerd.core;
  requires io.jcontainerd.linux;
  requires transitive io.jcontainerd.store;

  exports io.jcontainerd.snapshots;
}

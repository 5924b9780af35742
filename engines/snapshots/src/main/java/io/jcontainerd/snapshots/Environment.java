package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.store.Store;

/**
 * What a snapshotter stands on.
 *
 * @param store opened with {@link SnapshotSchema#SCHEMA}
 * @param files for the folders
 * @param kernel for synchronising and probing
 * @param trees for measuring and copying
 * @param time for the records
 * @param notes on what was unpacked into its folders
 * @param durable whether what is committed becomes durable; not so only to measure what that costs
 */
public record Environment(
    Store store,
    Files files,
    Kernel kernel,
    Trees trees,
    Time time,
    UnpackNotes notes,
    boolean durable) {
  /** One in which what is committed becomes durable. */
  public Environment(
      Store store, Files files, Kernel kernel, Trees trees, Time time, UnpackNotes notes) {
    this(store, files, kernel, trees, time, notes, true);
  }

  /** Without anybody who notes what was unpacked. */
  public Environment(Store store, Files files, Kernel kernel, Trees trees, Time time) {
    this(store, files, kernel, trees, time, new UnpackNotes());
  }
}

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
 */
public record Environment(Store store, Files files, Kernel kernel, Trees trees, Time time) {}

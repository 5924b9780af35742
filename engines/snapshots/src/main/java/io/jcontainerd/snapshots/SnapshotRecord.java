package io.jcontainerd.snapshots;

import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.Usage;

/**
 * A snapshot as it is recorded.
 *
 * @param id the number of its folder
 * @param info what others see
 * @param recorded its usage when it was committed
 */
record SnapshotRecord(long id, SnapshotInfo info, Usage recorded) {}

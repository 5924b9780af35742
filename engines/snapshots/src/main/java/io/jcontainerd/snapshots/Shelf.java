package io.jcontainerd.snapshots;

import io.jcontainerd.core.snapshots.SnapshotKind;
import java.io.IOException;
import java.util.Set;

/**
 * Where snapshots lie: in folders, files, subvolumes or devices that are known by number. Safe for
 * many threads.
 */
interface Shelf {
  /** Makes what must be there before the first snapshot. */
  void open() throws IOException;

  /** The numbers of which there is anything, complete or not. */
  Set<Long> ids() throws IOException;

  /**
   * Deletes all that there is of a snapshot.
   *
   * @throws java.nio.file.NoSuchFileException if there is nothing
   */
  void delete(long id) throws IOException;

  /** Deletes what belongs to no number, such as what another daemon was about to delete. */
  void sweep() throws IOException;

  /** The numbers of which a commit may have left more than belongs to one snapshot. */
  default Set<Long> unsettled() throws IOException {
    return Set.of();
  }

  /** Deletes what a commit that did not come to its end left of a snapshot of this kind. */
  default void settle(long id, SnapshotKind kind) throws IOException {}
}

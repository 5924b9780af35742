package io.jcontainerd.core.snapshots;

import io.jcontainerd.core.mount.Mount;
import java.util.List;

/** What came of preparing a snapshot. */
public sealed interface Prepared {
  /**
   * An active snapshot.
   *
   * @param mounts mount these and write
   */
  record Writable(List<Mount> mounts) implements Prepared {
    /** Copies the mounts. */
    public Writable {
      mounts = List.copyOf(mounts);
    }
  }

  /**
   * The snapshot that this one was to become exists already, so there is nothing to unpack.
   *
   * @param name the committed snapshot, from the label {@link
   *     io.jcontainerd.core.Labels#SNAPSHOT_REF}
   */
  record AlreadyThere(String name) implements Prepared {}
}

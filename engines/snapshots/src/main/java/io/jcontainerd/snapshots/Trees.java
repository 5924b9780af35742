package io.jcontainerd.snapshots;

import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.snapshots.manifest.Recorded;
import io.jcontainerd.snapshots.manifest.Recording;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/** Work on whole trees of files, whatever bytes their names are made of. Safe for many threads. */
public interface Trees {
  /** Allocated bytes and inodes of a tree, the top included, hard links counted once. */
  Usage usage(Path top) throws IOException;

  /**
   * The same for what a tree has beyond another one of which it was made as a snapshot that keeps
   * inode numbers and times: what was added to it, and what was changed in it.
   */
  Usage usageBeyond(Path top, Path below) throws IOException;

  /**
   * Copies what is in one folder, and the properties of the folder itself, to an empty one: owners,
   * modes, times to the nanosecond, extended attributes, hard links, devices, holes.
   */
  void copy(Path from, Path to) throws IOException;

  /** Whether trees can be recorded. */
  default boolean records() {
    return false;
  }

  /**
   * Records a tree, so that it can be compared later; see {@link
   * io.jcontainerd.snapshots.manifest}.
   *
   * @param sums what is known of its files without reading them
   * @param out takes the manifest
   * @throws UnsupportedOperationException if these trees cannot be recorded
   */
  default Recorded record(
      Path top, FileSums sums, Recording.Unknown unknown, Pace pace, OutputStream out)
      throws IOException, InterruptedException {
    throw new UnsupportedOperationException("these trees cannot be recorded");
  }

  /**
   * Makes a regular file that is a copy of another: shared blocks where they can be, holes kept.
   */
  void copyFile(Path from, Path to) throws IOException;
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
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

  /**
   * Makes a regular file that is a copy of another: shared blocks where they can be, holes kept.
   */
  void copyFile(Path from, Path to) throws IOException;
}

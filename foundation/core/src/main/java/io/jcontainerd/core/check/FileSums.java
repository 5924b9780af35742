package io.jcontainerd.core.check;

import io.jcontainerd.core.ports.FileStat;
import java.util.OptionalLong;

/** Sums of the files in a tree. For one thread. */
public interface FileSums {
  /** Nothing is known. */
  FileSums NONE = _ -> OptionalLong.empty();

  /**
   * The {@link FileSum} of a regular file, if it is known and the file is still the one that was
   * summed: of the same inode, size and times.
   */
  OptionalLong find(FileStat file);
}

package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.FileSum;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.OpenFile;
import java.nio.ByteBuffer;

/** Sums files by reading them. For one thread. */
final class FileReading {
  private static final int PIECE = 1 << 17;

  /** So much may be in memory that nobody needs. */
  private static final int SPILL = 1 << 23;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE);
  private final FileSum sum = new FileSum();
  private final Pace pace;

  FileReading(Pace pace) {
    this.pace = pace;
  }

  /** The sum of a file's bytes as they are now. */
  long sum(Directory folder, RawPath name) throws ErrnoException, InterruptedException {
    sum.reset();
    try (OpenFile file = folder.openFile(name)) {
      long position = 0;
      long kept = 0;
      buffer.clear();
      int count = file.read(buffer, position);
      while (count > 0) {
        buffer.flip();
        sum.add(buffer);
        position += count;
        kept += count;
        if (kept >= SPILL && !pace.fillsCache()) {
          file.dontKeep(position);
          kept = 0;
        }
        pace.read(count);
        buffer.clear();
        count = file.read(buffer, position);
      }
      if (kept > 0 && !pace.fillsCache()) {
        file.dontKeep(position);
      }
    }
    return sum.value();
  }
}

package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.io.IOException;
import java.io.OutputStream;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Records a tree as it is. */
public final class Recording {
  private static final int BLOCK = 512;

  /** Whether a file of which no sum is known is read. */
  public enum Unknown {
    /** It is. */
    READ,
    /** It is recorded without a sum. */
    LEFT_OUT
  }

  private record Inode(long device, long number) {}

  private final TreeWalk walk;
  private final ManifestWriter writer;
  private final FileSums sums;
  private final @Nullable FileReading reading;
  private final Map<Inode, Long> linked = new HashMap<>();
  private long blocks;
  private long inodes;
  private boolean complete = true;

  private Recording(
      TreeWalk walk, ManifestWriter writer, FileSums sums, @Nullable FileReading reading) {
    this.walk = walk;
    this.writer = writer;
    this.sums = sums;
    this.reading = reading;
  }

  /**
   * Records a tree.
   *
   * @param top the folder, which is closed
   * @param sums what is known of its files without reading them
   * @param out takes the manifest
   */
  public static Recorded of(
      Directory top, FileSums sums, Unknown unknown, Pace pace, OutputStream out)
      throws IOException, InterruptedException {
    try (TreeWalk walk = new TreeWalk(top)) {
      ManifestWriter writer = new ManifestWriter(out);
      FileReading reading = unknown == Unknown.READ ? new FileReading(pace) : null;
      Recording recording = new Recording(walk, writer, sums, reading);
      while (walk.next()) {
        recording.add();
      }
      writer.finish();
      return new Recorded(
          writer.sum(),
          writer.entries(),
          writer.bytes(),
          recording.complete,
          new Usage(recording.blocks * BLOCK, recording.inodes));
    }
  }

  private void add() throws IOException, InterruptedException {
    FileStat stat = walk.stat();
    boolean several = !stat.isDirectory() && stat.links() > 1;
    if (several) {
      Long first = linked.putIfAbsent(new Inode(stat.device(), stat.inode()), writer.entries());
      if (first != null) {
        writer.add(Entry.further(walk.depth(), walk.name(), first));
        return;
      }
    }
    Entry entry;
    try {
      entry = entry(stat, several);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        return; // whoever uses the tree may change it meanwhile
      }
      throw e;
    }
    blocks += stat.blocks();
    inodes++;
    writer.add(entry);
  }

  private Entry entry(FileStat stat, boolean several) throws ErrnoException, InterruptedException {
    OptionalLong sum = OptionalLong.empty();
    RawPath target = RawPath.EMPTY;
    if (stat.type() == FileStat.Type.REGULAR) {
      sum = sums.find(stat);
      FileReading reader = reading;
      if (sum.isEmpty() && reader != null) {
        sum = OptionalLong.of(reader.sum(walk.folder(), walk.name()));
      }
      complete &= sum.isPresent();
    } else if (stat.type() == FileStat.Type.SYMLINK) {
      target = walk.folder().readSymlink(walk.name());
    }
    return new Entry(
        walk.depth(),
        walk.name(),
        OptionalLong.empty(),
        stat.type(),
        stat.mode(),
        stat.uid(),
        stat.gid(),
        stat.modified(),
        stat.type() == FileStat.Type.REGULAR ? stat.size() : 0,
        several,
        sum,
        target,
        stat.rdev(),
        Carried.read(walk.folder(), walk.name()));
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Adds up what a tree takes. Neither the number of files nor the depth matters: names are looked at
 * as they are read, of the way down a few numbers a level are kept, and inodes are remembered only
 * where they have several names. Whoever uses the tree may change it meanwhile: what vanished is
 * not counted.
 */
final class Measurement implements AutoCloseable {
  private static final int BLOCK = 512;

  /** Folders kept open; the way back up to one that is not goes through {@code ..}. */
  private static final int MOST_OPEN = 64;

  private final Deque<Directory> open = new ArrayDeque<>();
  private final LongStack devices = new LongStack();
  private final LongStack inodes = new LongStack();
  private final LongStack places = new LongStack();
  private final InodeSet linked = new InodeSet();
  private long blocks;
  private long count;
  private @Nullable RawPath folder;

  private Measurement() {}

  /** What the folder and all below it take; closes the folder. */
  static Usage of(Directory top) throws ErrnoException {
    try (Measurement measurement = new Measurement()) {
      measurement.open.addLast(top);
      FileStat stat = top.status();
      measurement.add(stat);
      measurement.down(stat);
      measurement.run();
      return new Usage(measurement.blocks * BLOCK, measurement.count);
    }
  }

  private void add(FileStat stat) {
    if (stat.isDirectory() || stat.links() <= 1 || linked.add(stat.device(), stat.inode())) {
      blocks += stat.blocks();
      count++;
    }
  }

  private void down(FileStat stat) {
    devices.push(stat.device());
    inodes.push(stat.inode());
    places.push(0);
  }

  private void run() throws ErrnoException {
    while (true) {
      long stopped = read(open.getLast(), places.pop());
      places.push(stopped);
      RawPath found = folder;
      if (found != null) {
        enter(found);
      } else if (!leave()) {
        return;
      }
    }
  }

  /** Looks at names up to the next folder. */
  private long read(Directory here, long from) throws ErrnoException {
    folder = null;
    try {
      return here.eachName(
          from,
          (name, _) -> {
            var found = here.find(name);
            if (found.isEmpty()) {
              return true;
            }
            add(found.get());
            if (!found.get().isDirectory()) {
              return true;
            }
            folder = name;
            return false;
          });
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT)) {
        throw e;
      }
      folder = null;
      return -1;
    }
  }

  private void enter(RawPath name) throws ErrnoException {
    try {
      Directory child = open.getLast().openChild(name);
      open.addLast(child);
      down(child.status());
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP)) {
        throw e;
      }
    }
    if (open.size() > MOST_OPEN) {
      open.removeFirst().close();
    }
  }

  /**
   * Goes up.
   *
   * @return whether there was a folder to go up to
   */
  private boolean leave() throws ErrnoException {
    devices.pop();
    inodes.pop();
    places.pop();
    try (Directory here = open.removeLast()) {
      if (devices.isEmpty()) {
        return false;
      }
      if (open.isEmpty()) {
        open.addLast(here.openParent());
        FileStat stat = open.getLast().status();
        if (stat.device() != devices.top() || stat.inode() != inodes.top()) {
          throw new ErrnoException("measure", here + " (moved)", Errno.ESTALE);
        }
      }
      return true;
    }
  }

  @Override
  public void close() throws ErrnoException {
    ErrnoException failure = null;
    for (Directory left : open) {
      try {
        left.close();
      } catch (ErrnoException e) {
        failure = e;
      }
    }
    open.clear();
    if (failure != null) {
      throw failure;
    }
  }
}

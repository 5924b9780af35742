package io.jcontainerd.snapshots;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Adds up what a tree takes beyond another that it began as: files that are not there, or that
 * changed since. Whoever began as a snapshot of a tree has its inode numbers and times; every
 * change moves the time of the inode. Whoever uses the tree may change it meanwhile: what vanished
 * is not counted.
 */
final class Addition {
  private static final int BLOCK = 512;

  /** A folder of the tree, and whether the other tree may have the same. */
  private record Folder(RawPath path, boolean common) {}

  private final Deque<Folder> left = new ArrayDeque<>();
  private final InodeSet linked = new InodeSet();
  private final Directory top;
  private final Directory below;
  private long blocks;
  private long count;

  private Addition(Directory top, Directory below) {
    this.top = top;
    this.below = below;
  }

  static Usage of(Directory top, Directory below) throws ErrnoException {
    var addition = new Addition(top, below);
    addition.run();
    return new Usage(addition.blocks * BLOCK, addition.count);
  }

  private void run() throws ErrnoException {
    add(top.status(), Optional.of(below.status()));
    left.push(new Folder(RawPath.EMPTY, true));
    while (!left.isEmpty()) {
      Folder folder = left.pop();
      try (Directory here = open(top, folder.path())) {
        if (here != null) {
          read(here, folder);
        }
      }
    }
  }

  private void read(Directory here, Folder folder) throws ErrnoException {
    try (Directory there = folder.common() ? open(below, folder.path()) : null) {
      here.eachName(
          0,
          (name, _) -> {
            Optional<FileStat> found = here.find(name);
            if (found.isEmpty()) {
              return true;
            }
            Optional<FileStat> old = there == null ? Optional.empty() : there.find(name);
            add(found.get(), old);
            if (found.get().isDirectory()) {
              left.push(
                  new Folder(
                      folder.path().resolve(name), old.isPresent() && old.get().isDirectory()));
            }
            return true;
          });
    }
  }

  private static @Nullable Directory open(Directory top, RawPath path) throws ErrnoException {
    try {
      return path.isEmpty() ? top.openChild(RawPath.of(".")) : top.openInRoot(path);
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT, Errno.ENOTDIR)) {
        return null;
      }
      throw e;
    }
  }

  private void add(FileStat stat, Optional<FileStat> old) {
    boolean same =
        old.isPresent()
            && old.get().inode() == stat.inode()
            && old.get().type() == stat.type()
            && old.get().changed().equals(stat.changed());
    if (!same
        && (stat.isDirectory() || stat.links() <= 1 || linked.add(stat.device(), stat.inode()))) {
      blocks += stat.blocks();
      count++;
    }
  }
}

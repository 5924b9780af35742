package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.OpenFile;
import io.jcontainerd.linux.RawPath;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Trees of this machine. */
public final class LinuxTrees implements Trees {
  private static final int BLOCK = 512;

  /** Trees of this machine. */
  public LinuxTrees() {}

  private record Inode(long device, long number) {
    static Inode of(FileStat stat) {
      return new Inode(stat.device(), stat.inode());
    }
  }

  @Override
  public Usage usage(Path top) throws IOException {
    try (Directory folder = Directory.open(top)) {
      var seen = new HashSet<Inode>();
      FileStat stat = folder.status();
      seen.add(Inode.of(stat));
      return new Usage(stat.blocks() * BLOCK + bytesIn(folder, seen), seen.size());
    } catch (ErrnoException e) {
      throw missing(e, top);
    }
  }

  private static IOException missing(ErrnoException e, Path path) {
    if (!e.is(io.jcontainerd.linux.Errno.ENOENT)) {
      return e;
    }
    var missing = new NoSuchFileException(path.toString());
    missing.initCause(e);
    return missing;
  }

  /** Whoever uses the tree may change it meanwhile: a name that vanished is not counted. */
  private static long bytesIn(Directory folder, Set<Inode> seen) throws ErrnoException {
    long bytes = 0;
    for (RawPath name : folder.names()) {
      var found = folder.find(name);
      if (found.isEmpty() || !seen.add(Inode.of(found.get()))) {
        continue;
      }
      FileStat stat = found.get();
      bytes += stat.blocks() * BLOCK;
      if (stat.isDirectory()) {
        try (Directory child = folder.openChild(name)) {
          bytes += bytesIn(child, seen);
        } catch (ErrnoException e) {
          if (!e.is(io.jcontainerd.linux.Errno.ENOENT)) {
            throw e;
          }
        }
      }
    }
    return bytes;
  }

  @Override
  public void copy(Path from, Path to) throws IOException {
    try (Directory source = Directory.open(from);
        Directory target = Directory.open(to)) {
      new Copy(target).copyFolder(source, target, RawPath.EMPTY);
    } catch (ErrnoException e) {
      throw missing(e, from);
    }
  }

  /** One copy, with the names at which files of several names were first met. */
  private static final class Copy {
    private final Map<Inode, RawPath> linked = new HashMap<>();
    private final Directory top;

    Copy(Directory top) {
      this.top = top;
    }

    void copyFolder(Directory source, Directory target, RawPath path) throws ErrnoException {
      for (RawPath name : source.names()) {
        copyEntry(source, target, name, path.resolve(name));
      }
      FileStat stat = source.status();
      target.setOwner(stat.uid(), stat.gid());
      copyAttributes(source, target, RawPath.EMPTY);
      target.setMode(stat.mode());
      target.setTimes(stat.modified(), stat.modified());
    }

    private void copyEntry(Directory source, Directory target, RawPath name, RawPath path)
        throws ErrnoException {
      FileStat stat = source.status(name);
      if (stat.isDirectory()) {
        target.makeDirectory(name, 0700);
        try (Directory from = source.openChild(name);
            Directory to = target.openChild(name)) {
          copyFolder(from, to, path);
        }
        return;
      }
      if (stat.links() > 1) {
        RawPath first = linked.putIfAbsent(Inode.of(stat), path);
        if (first != null) {
          target.makeLink(name, top, first);
          return;
        }
      }
      switch (stat.type()) {
        case REGULAR -> copyBytes(source, target, name);
        case SYMLINK -> target.makeSymlink(name, source.readSymlink(name));
        case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET ->
            target.makeNode(name, stat.type(), 0600, stat.rdev());
        case DIRECTORY -> throw new AssertionError("a folder was handled above");
      }
      target.setOwner(name, stat.uid(), stat.gid());
      copyAttributes(source, target, name);
      if (stat.type() != FileStat.Type.SYMLINK) {
        target.setMode(name, stat.mode());
      }
      target.setTimes(name, stat.modified(), stat.modified());
    }

    private static void copyBytes(Directory source, Directory target, RawPath name)
        throws ErrnoException {
      try (OpenFile from = source.openFile(name);
          OpenFile to = target.createFile(name, 0600)) {
        to.copyFrom(from);
      }
    }

    private static void copyAttributes(Directory source, Directory target, RawPath name)
        throws ErrnoException {
      for (RawPath attribute : source.attributes(name)) {
        var value = source.attribute(name, attribute);
        if (value.isPresent()) {
          target.setAttribute(name, attribute, value.get());
        }
      }
    }
  }
}

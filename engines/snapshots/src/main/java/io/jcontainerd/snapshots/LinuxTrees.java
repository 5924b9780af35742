package io.jcontainerd.snapshots;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.OpenFile;
import io.jcontainerd.snapshots.manifest.Recorded;
import io.jcontainerd.snapshots.manifest.Recording;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Trees of this machine. */
public final class LinuxTrees implements Trees {
  /** PATH_MAX without its NUL. */
  private static final int LONGEST_PATH = 4095;

  private static final int FILE_MODE = 0600;

  /** Trees of this machine. */
  public LinuxTrees() {}

  private record Inode(long device, long number) {
    static Inode of(FileStat stat) {
      return new Inode(stat.device(), stat.inode());
    }
  }

  @Override
  public Usage usage(Path top) throws IOException {
    try {
      return Measurement.of(Directory.open(top));
    } catch (ErrnoException e) {
      throw missing(e, top);
    }
  }

  @Override
  public Usage usageBeyond(Path top, Path below) throws IOException {
    try (Directory tree = Directory.open(top);
        Directory other = Directory.open(below)) {
      return Addition.of(tree, other);
    } catch (ErrnoException e) {
      throw missing(e, top);
    }
  }

  @Override
  public boolean records() {
    return true;
  }

  @Override
  public Recorded record(
      Path top, FileSums sums, Recording.Unknown unknown, Pace pace, OutputStream out)
      throws IOException, InterruptedException {
    try {
      return Recording.of(Directory.open(top), sums, unknown, pace, out);
    } catch (ErrnoException e) {
      throw missing(e, top);
    }
  }

  private static IOException missing(ErrnoException e, Path path) {
    if (!e.is(Errno.ENOENT)) {
      return e;
    }
    var missing = new NoSuchFileException(path.toString());
    missing.initCause(e);
    return missing;
  }

  @Override
  public void copy(Path from, Path to) throws IOException {
    try (Directory source = Directory.open(from);
        Directory target = Directory.open(to)) {
      new Copy(target).run(source);
    } catch (ErrnoException e) {
      throw missing(e, from);
    }
  }

  @Override
  public void copyFile(Path from, Path to) throws IOException {
    try (Directory source = Directory.open(parent(from));
        Directory target = Directory.open(parent(to))) {
      try (OpenFile old = source.openFile(name(from));
          OpenFile copy = target.createFile(name(to), FILE_MODE)) {
        copy.copyFrom(old);
      }
    } catch (ErrnoException e) {
      throw e.is(Errno.ENOSPC, Errno.EDQUOT) ? full(e, to) : missing(e, from);
    }
  }

  private static Path parent(Path path) {
    return Objects.requireNonNull(path.getParent(), "a file in a folder");
  }

  private static RawPath name(Path path) {
    return RawPath.of(String.valueOf(path.getFileName()));
  }

  private static IOException full(ErrnoException e, Path path) {
    var full = new NoSpaceException(path.toString());
    full.initCause(e);
    return full;
  }

  /**
   * One copy, with the names at which files of several names were first met. Names are copied as
   * they are read, and the way down is kept here instead of on the thread's stack: a folder may
   * hold, and a tree may be deep as, whatever a container made.
   */
  private static final class Copy {
    private final Map<Inode, RawPath> linked = new HashMap<>();
    private final Directory top;
    private final Deque<Frame> frames = new ArrayDeque<>();

    /** A folder that is being copied, and where to go on in it. */
    private static final class Frame {
      final Directory source;
      final Directory target;
      final RawPath path;
      long next;
      @Nullable RawPath child;

      Frame(Directory source, Directory target, RawPath path) {
        this.source = source;
        this.target = target;
        this.path = path;
      }
    }

    Copy(Directory top) {
      this.top = top;
    }

    /** Copies; the two folders at the top stay open. */
    void run(Directory source) throws ErrnoException {
      frames.push(new Frame(source, top, RawPath.EMPTY));
      try {
        while (!frames.isEmpty()) {
          step(frames.element());
        }
      } finally {
        while (frames.size() > 1) {
          close(frames.pop());
        }
      }
    }

    private void step(Frame frame) throws ErrnoException {
      frame.child = null;
      frame.next =
          frame.source.eachName(
              frame.next,
              (name, _) -> {
                FileStat stat = frame.source.status(name);
                if (stat.isDirectory()) {
                  frame.child = name;
                  return false;
                }
                copyEntry(frame.source, frame.target, name, frame.path.resolve(name), stat);
                return true;
              });
      RawPath child = frame.child;
      if (child != null) {
        frames.push(enter(frame, child));
        return;
      }
      finish(frame.source, frame.target);
      frames.pop();
      if (!frames.isEmpty()) {
        close(frame);
      }
    }

    private static Frame enter(Frame frame, RawPath name) throws ErrnoException {
      RawPath path = frame.path.resolve(name);
      if (path.length() > LONGEST_PATH) {
        throw new ErrnoException("copy", frame.source + "/" + name, Errno.ENAMETOOLONG);
      }
      frame.target.makeDirectory(name, 0700);
      Directory from = frame.source.openChild(name);
      try {
        return new Frame(from, frame.target.openChild(name), path);
      } catch (ErrnoException e) {
        from.close();
        throw e;
      }
    }

    private static void close(Frame frame) throws ErrnoException {
      try {
        frame.source.close();
      } finally {
        frame.target.close();
      }
    }

    private static void finish(Directory source, Directory target) throws ErrnoException {
      FileStat stat = source.status();
      target.setOwner(stat.uid(), stat.gid());
      copyAttributes(source, target, RawPath.EMPTY);
      target.setMode(stat.mode());
      target.setTimes(stat.modified(), stat.modified());
    }

    private void copyEntry(
        Directory source, Directory target, RawPath name, RawPath path, FileStat stat)
        throws ErrnoException {
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
        case DIRECTORY -> throw new AssertionError("a folder is entered");
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

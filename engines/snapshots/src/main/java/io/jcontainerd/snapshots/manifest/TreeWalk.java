package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Goes through a tree in the order of a manifest: preorder, the names of a folder in order of their
 * bytes. A file system that is mounted in the tree is not entered. For one thread.
 */
final class TreeWalk implements AutoCloseable {
  private final Deque<Frame> frames = new ArrayDeque<>();
  private final Directory top;
  private boolean begun;
  private boolean enter;
  private RawPath name = RawPath.EMPTY;
  private FileStat stat;

  private static final class Frame {
    final Directory folder;
    final List<RawPath> names;
    final RawPath path;
    int next;

    Frame(Directory folder, RawPath path) throws ErrnoException {
      this.folder = folder;
      this.path = path;
      this.names = folder.names();
    }
  }

  /** A walk below an open folder, which this closes. */
  TreeWalk(Directory top) throws ErrnoException {
    this.top = top;
    this.stat = top.status();
  }

  /**
   * Goes to the next name; what vanished meanwhile is passed over.
   *
   * @return whether there is one
   */
  boolean next() throws ErrnoException {
    if (!begun) {
      begun = true;
      enter = true;
      return true;
    }
    if (enter) {
      down();
    }
    while (!frames.isEmpty()) {
      Frame frame = frames.element();
      while (frame.next < frame.names.size()) {
        RawPath at = frame.names.get(frame.next);
        frame.next++;
        Optional<FileStat> found = frame.folder.find(at);
        if (found.isPresent()) {
          name = at;
          stat = found.get();
          enter = stat.isDirectory();
          return true;
        }
      }
      frames.pop();
      if (frame.folder != top) {
        frame.folder.close();
      }
    }
    return false;
  }

  private void down() throws ErrnoException {
    enter = false;
    if (frames.isEmpty()) {
      frames.push(new Frame(top, RawPath.EMPTY));
      return;
    }
    Frame frame = frames.element();
    try {
      Directory child = frame.folder.openChildSameMount(name);
      try {
        frames.push(new Frame(child, frame.path.resolve(name)));
      } catch (ErrnoException e) {
        child.close();
        throw e;
      }
    } catch (ErrnoException e) {
      if (!e.is(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.EXDEV)) {
        throw e;
      }
    }
  }

  /** Does not go into the folder that the walk is at. */
  void skip() {
    enter = false;
  }

  /** How many folders below the top the current name is; the top is 0. */
  int depth() {
    return frames.size();
  }

  /** The current name; empty for the top. */
  RawPath name() {
    return name;
  }

  /** The current name with all above it. */
  RawPath path() {
    return frames.isEmpty() ? RawPath.EMPTY : frames.element().path.resolve(name);
  }

  /** What the current name is. */
  FileStat stat() {
    return stat;
  }

  /** The folder that holds the current name; for the top, the top itself. */
  Directory folder() {
    return frames.isEmpty() ? top : frames.element().folder;
  }

  @Override
  public void close() throws ErrnoException {
    ErrnoException failure = null;
    for (Frame frame : frames) {
      try {
        frame.folder.close();
      } catch (ErrnoException e) {
        failure = e;
      }
    }
    frames.clear();
    top.close();
    if (failure != null) {
      throw failure;
    }
  }
}

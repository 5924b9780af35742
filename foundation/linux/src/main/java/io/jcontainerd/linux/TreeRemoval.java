package io.jcontainerd.linux;

import io.jcontainerd.core.ports.FileStat;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Removes a folder with everything below it.
 *
 * <p>Only one folder is open at a time however deep the tree is: the way up goes through {@code
 * ..}, and the inode found there must be the one that was left, so that a tree being moved
 * meanwhile stops the removal instead of leading it elsewhere. Mount points are never entered: the
 * removal fails on them with {@code EXDEV}.
 */
final class TreeRemoval {
  private record Level(RawPath name, long device, long inode, Deque<RawPath> folders) {}

  private TreeRemoval() {}

  static void remove(Directory parent, RawPath name) throws ErrnoException {
    if (!isFolder(parent, name)) {
      return;
    }
    Deque<Level> levels = new ArrayDeque<>();
    Directory current = parent.openChildSameMount(name);
    try {
      levels.push(level(current, name));
      while (true) {
        Level here = levels.element();
        RawPath next = here.folders().poll();
        if (next != null) {
          Directory child = current.openChildSameMount(next);
          current.close();
          current = child;
          levels.push(level(current, next));
          continue;
        }
        levels.pop();
        if (levels.isEmpty()) {
          parent.removeDirectory(name);
          return;
        }
        Directory up = current.openParent();
        current.close();
        current = up;
        FileStat found = current.status();
        if (found.inode() != levels.element().inode()
            || found.device() != levels.element().device()) {
          throw new ErrnoException("remove", parent + "/" + name + " (moved)", Errno.ESTALE);
        }
        current.removeDirectory(here.name());
      }
    } finally {
      current.close();
    }
  }

  /** Removes all but folders, which are left to be entered. */
  private static Level level(Directory folder, RawPath name) throws ErrnoException {
    FileStat stat = folder.status();
    List<RawPath> names = folder.names();
    Deque<RawPath> folders = new ArrayDeque<>();
    for (RawPath entry : names) {
      if (isFolder(folder, entry)) {
        folders.add(entry);
      }
    }
    return new Level(name, stat.device(), stat.inode(), folders);
  }

  /** Tries to unlink; what cannot be unlinked for being a folder is one. */
  private static boolean isFolder(Directory folder, RawPath name) throws ErrnoException {
    try {
      folder.unlink(name);
      return false;
    } catch (ErrnoException e) {
      if (e.is(Errno.EISDIR)) {
        return true;
      }
      if (e.is(Errno.EPERM) && folder.status(name).isDirectory()) {
        return true;
      }
      throw e;
    }
  }
}

package io.jcontainerd.linux;

import io.jcontainerd.core.ports.FileStat;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Removes a folder with everything below it, in bounded memory: neither the number of names in a
 * folder nor the depth of the tree matters, since whoever filled it may not wish us well.
 *
 * <p>Names are unlinked as they are read. Only one folder is open at a time: the way up goes
 * through {@code ..}, and the inode found there must be the one that was left, so that a tree being
 * moved meanwhile stops the removal instead of leading it elsewhere. Mount points are never
 * entered: the removal fails on them with {@code EXDEV}.
 */
final class TreeRemoval {
  /** How many names of folders are remembered; what is beyond is found by reading again. */
  private static final int MOST_REMEMBERED = 4096;

  /** How often folders may be found filled again after they were emptied. */
  private static final int MOST_REFILLED = 64;

  private final Directory parent;
  private final RawPath name;
  private final Levels levels = new Levels();

  /** Folders that were seen and are still to be removed, those of the deepest level on top. */
  private final Deque<Seen> seen = new ArrayDeque<>();

  private Directory current;
  private int refilled;

  /** A folder's name and the level of the folder that holds it. */
  private record Seen(int level, RawPath name) {}

  private TreeRemoval(Directory parent, RawPath name) throws ErrnoException {
    this.parent = parent;
    this.name = name;
    this.current = parent.openChildSameMount(name);
  }

  static void remove(Directory parent, RawPath name) throws ErrnoException {
    if (!isFolder(parent, name)) {
      return;
    }
    TreeRemoval removal = new TreeRemoval(parent, name);
    try {
      removal.run();
    } finally {
      removal.current.close();
    }
    parent.removeDirectory(name);
  }

  private void run() throws ErrnoException {
    levels.push(current.status());
    RawPath found = clear();
    while (true) {
      RawPath next = found != null ? found : remembered();
      if (next != null) {
        enter(next);
        found = clear();
      } else if (!levels.isCleared()) {
        found = clear();
      } else if (levels.depth() == 1) {
        return;
      } else {
        leave();
        removeLeft();
      }
    }
  }

  /** The folder of this level that is next, if one is remembered. */
  private @Nullable RawPath remembered() {
    Seen top = seen.peek();
    return top != null && top.level() == levels.depth() ? top.name() : null;
  }

  private void enter(RawPath child) throws ErrnoException {
    Directory open = current.openChildSameMount(child);
    current.close();
    current = open;
    levels.push(current.status());
  }

  private void leave() throws ErrnoException {
    Directory up = current.openParent();
    current.close();
    current = up;
    levels.pop();
    if (!levels.isTop(current.status())) {
      throw new ErrnoException("remove", parent + "/" + name + " (moved)", Errno.ESTALE);
    }
  }

  /** Removes the folder that was just left; one that is not remembered is found by reading. */
  private void removeLeft() throws ErrnoException {
    RawPath left = remembered();
    if (left == null) {
      return;
    }
    if (isRemoved(left)) {
      seen.pop();
      return;
    }
    refilled++;
    if (refilled > MOST_REFILLED) {
      throw new ErrnoException("rmdir", current + "/" + left, Errno.ENOTEMPTY);
    }
  }

  private boolean isRemoved(RawPath folder) throws ErrnoException {
    try {
      current.removeDirectory(folder);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOTEMPTY, Errno.EEXIST)) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Removes all but folders, which are remembered as far as there is room. Where there is none, it
   * stops; the level is then not cleared.
   *
   * @return a folder to be entered at once, if none of this level could be remembered
   */
  private @Nullable RawPath clear() throws ErrnoException {
    int level = levels.depth();
    @Nullable RawPath[] unremembered = new RawPath[1];
    long stopped =
        current.eachName(
            0,
            (entry, _) -> {
              if (!isFolder(current, entry)) {
                return true;
              }
              if (seen.size() < MOST_REMEMBERED) {
                seen.push(new Seen(level, entry));
                return true;
              }
              if (remembered() != null) {
                return false;
              }
              if (isRemoved(entry)) {
                return true;
              }
              unremembered[0] = entry;
              return false;
            });
    levels.setCleared(stopped < 0);
    return unremembered[0];
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

  /** The folders on the way down, by what cannot be renamed: 16 bytes and a bit a level. */
  private static final class Levels {
    private long[] ids = new long[64];
    private final BitSet cleared = new BitSet();
    private int depth;

    int depth() {
      return depth;
    }

    void push(FileStat folder) {
      if (2 * depth == ids.length) {
        ids = Arrays.copyOf(ids, 2 * ids.length);
      }
      ids[2 * depth] = folder.device();
      ids[2 * depth + 1] = folder.inode();
      depth++;
      cleared.clear(depth);
    }

    void pop() {
      depth--;
    }

    boolean isTop(FileStat folder) {
      return ids[2 * depth - 2] == folder.device() && ids[2 * depth - 1] == folder.inode();
    }

    /** Whether nothing is left in the folder but folders that are remembered. */
    boolean isCleared() {
      return cleared.get(depth);
    }

    void setCleared(boolean yes) {
      cleared.set(depth, yes);
    }
  }
}

package io.jcontainerd.linux;

import io.jcontainerd.core.RawPath;
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
      } else if (levels.depth() > 1) {
        leave();
        removeLeft();
      } else if (isRemoved(parent, name)) {
        return;
      } else {
        countRefilled(name);
        levels.setPlace(0);
        found = clear();
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
    if (isRemoved(current, left)) {
      seen.pop();
    } else {
      countRefilled(left);
    }
  }

  private void countRefilled(RawPath folder) throws ErrnoException {
    refilled++;
    if (refilled > MOST_REFILLED) {
      throw new ErrnoException("rmdir", current + "/" + folder, Errno.ENOTEMPTY);
    }
  }

  private static boolean isRemoved(Directory holder, RawPath folder) throws ErrnoException {
    try {
      holder.removeDirectory(folder);
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
   * stops; the level is then not cleared, and the next call goes on there.
   *
   * @return a folder to be entered at once, if none of this level could be remembered
   */
  private @Nullable RawPath clear() throws ErrnoException {
    int level = levels.depth();
    @Nullable RawPath[] unremembered = new RawPath[1];
    long stopped =
        current.eachName(
            levels.place(),
            (entry, next) -> {
              if (isFolder(current, entry)) {
                if (seen.size() < MOST_REMEMBERED) {
                  seen.push(new Seen(level, entry));
                } else if (remembered() != null) {
                  return false;
                } else if (!isRemoved(current, entry)) {
                  unremembered[0] = entry;
                  return false;
                }
              }
              levels.setPlace(next);
              return true;
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

  /** The folders on the way down, three numbers and a bit for each. */
  private static final class Levels {
    private static final int NUMBERS = 3;

    private long[] numbers = new long[NUMBERS * 64];
    private final BitSet cleared = new BitSet();
    private int depth;
    private int top; // where the numbers of the deepest level are

    int depth() {
      return depth;
    }

    void push(FileStat folder) {
      top = NUMBERS * depth;
      if (top == numbers.length) {
        numbers = Arrays.copyOf(numbers, 2 * numbers.length);
      }
      numbers[top] = folder.device();
      numbers[top + 1] = folder.inode();
      numbers[top + 2] = 0;
      depth++;
      cleared.clear(depth);
    }

    void pop() {
      depth--;
      top -= NUMBERS;
    }

    boolean isTop(FileStat folder) {
      return numbers[top] == folder.device() && numbers[top + 1] == folder.inode();
    }

    /** Where reading the folder is to go on. */
    long place() {
      return numbers[top + 2];
    }

    void setPlace(long place) {
      numbers[top + 2] = place;
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

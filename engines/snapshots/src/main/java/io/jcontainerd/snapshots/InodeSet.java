package io.jcontainerd.snapshots;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Inodes that were met: a table of numbers for each device. For one thread. */
final class InodeSet {
  private static final long SPREAD = 0x9e37_79b9_7f4a_7c15L;

  private final Map<Long, Table> devices = new HashMap<>();

  /**
   * Adds an inode.
   *
   * @return whether it is new
   */
  boolean add(long device, long inode) {
    return devices.computeIfAbsent(device, _ -> new Table()).add(inode);
  }

  /** Open addressing; 0, which no inode is, marks what is free. */
  private static final class Table {
    private long[] slots = new long[64];
    private int size;

    boolean add(long inode) {
      if (4L * size >= 3L * slots.length) {
        grow();
      }
      int at = slot(slots, inode);
      if (slots[at] == inode) {
        return false;
      }
      slots[at] = inode;
      size++;
      return true;
    }

    private static int slot(long[] slots, long inode) {
      long mixed = inode * SPREAD;
      int at = (int) (mixed ^ (mixed >>> 32)) & (slots.length - 1);
      while (slots[at] != 0 && slots[at] != inode) {
        at = (at + 1) & (slots.length - 1);
      }
      return at;
    }

    private void grow() {
      long[] larger = new long[2 * slots.length];
      Arrays.stream(slots).filter(inode -> inode != 0).forEach(i -> larger[slot(larger, i)] = i);
      slots = larger;
    }
  }
}

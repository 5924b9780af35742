package io.jcontainerd.diff.tree;

import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.ports.FileStat;
import java.time.Instant;
import java.util.OptionalLong;

/**
 * Sums of files by inode, 24 bytes each: a layer may have very many files. A file whose inode was
 * changed since it was added is not vouched for; to see that takes the kernel's clock, whose ticks
 * are of a few milliseconds. For one thread at a time.
 */
public final class SumTable implements FileSums {
  /** More are not kept, for they would fill the memory; their files are read again. */
  static final int MOST = 1 << 19;

  private static final int WORDS = 3;

  private long[] slots = new long[WORDS * 256];
  private int size;

  /** An empty table. */
  public SumTable() {}

  /** Adds a file that is complete, its times included; again after each change of its inode. */
  void add(FileStat file, long sum) {
    if (size >= MOST) {
      return;
    }
    if (4L * WORDS * size >= 3L * slots.length) {
      grow();
    }
    int at = slot(slots, file.inode());
    if (slots[at] == 0) {
      size++;
    }
    slots[at] = file.inode();
    slots[at + 1] = sum;
    slots[at + 2] = fingerprint(file);
  }

  private void grow() {
    long[] larger = new long[2 * slots.length];
    for (int from = 0; from < slots.length; from += WORDS) {
      if (slots[from] != 0) {
        System.arraycopy(slots, from, larger, slot(larger, slots[from]), WORDS);
      }
    }
    slots = larger;
  }

  /** Where the inode is or may be put; inodes are never 0. */
  private static int slot(long[] slots, long inode) {
    int count = slots.length / WORDS;
    long mixed = inode * 0x9e37_79b9_7f4a_7c15L;
    int at = (int) ((mixed >>> 33) % count);
    while (slots[WORDS * at] != 0 && slots[WORDS * at] != inode) {
      at = at + 1 == count ? 0 : at + 1;
    }
    return WORDS * at;
  }

  private static long fingerprint(FileStat file) {
    long mixed = mix(file.size());
    mixed = mix(mixed ^ nanos(file.modified()));
    return mix(mixed ^ nanos(file.changed()));
  }

  private static long mix(long value) {
    long mixed = (value ^ (value >>> 32)) * 0x9e37_79b9_7f4a_7c15L;
    return mixed ^ (mixed >>> 29);
  }

  private static long nanos(Instant time) {
    long seconds = time.getEpochSecond();
    int nanos = time.getNano();
    return seconds * 1_000_000_000L + nanos;
  }

  @Override
  public OptionalLong find(FileStat file) {
    int at = slot(slots, file.inode());
    boolean same = slots[at] == file.inode() && slots[at + 2] == fingerprint(file);
    return same ? OptionalLong.of(slots[at + 1]) : OptionalLong.empty();
  }
}

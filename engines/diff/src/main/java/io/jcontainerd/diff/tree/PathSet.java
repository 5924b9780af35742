package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import java.security.SecureRandom;

/**
 * Paths, of which only a hash of 64 bits is kept: a layer may have millions of entries. The hash
 * begins with a number that nobody can guess, so that no layer can be made to collide; among a
 * million paths, two do by chance once in some ten million layers. For one thread.
 */
final class PathSet {
  private static final long PRIME = 0x0000_0100_0000_01b3L;

  private final long secret = new SecureRandom().nextLong();
  private final long factor = new SecureRandom().nextLong() | 1;
  private long[] slots = new long[1024];
  private int size;

  /**
   * Adds a path.
   *
   * @return whether it is new
   */
  boolean add(RawPath path) {
    if (4L * size >= 3L * slots.length) {
      grow();
    }
    long hash = hash(path);
    int at = slot(slots, hash);
    if (slots[at] == hash) {
      return false;
    }
    slots[at] = hash;
    size++;
    return true;
  }

  boolean contains(RawPath path) {
    long hash = hash(path);
    return slots[slot(slots, hash)] == hash;
  }

  private void grow() {
    long[] larger = new long[2 * slots.length];
    for (long hash : slots) {
      if (hash != 0) {
        larger[slot(larger, hash)] = hash;
      }
    }
    slots = larger;
  }

  /** Where the hash is or may be put; 0 marks what is free. */
  private static int slot(long[] slots, long hash) {
    int at = (int) (hash >>> 32) & (slots.length - 1);
    while (slots[at] != 0 && slots[at] != hash) {
      at = (at + 1) & (slots.length - 1);
    }
    return at;
  }

  /** Never 0. */
  private long hash(RawPath path) {
    long hash = secret;
    for (int i = 0; i < path.length(); i++) {
      hash = (hash ^ (path.byteAt(i) & 0xff)) * PRIME;
      hash ^= hash >>> 29;
    }
    hash *= factor;
    hash ^= hash >>> 32;
    hash *= 0x9e37_79b9_7f4a_7c15L;
    hash ^= hash >>> 29;
    return hash == 0 ? 1 : hash;
  }
}

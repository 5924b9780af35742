package io.jcontainerd.diff;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Keeps the native buffers of a few finished layers for the next ones. Safe for many threads. */
final class BufferPool {
  private static final int SIZE = 256 * 1024;
  private static final int PLAIN_BUFFERS = 8;
  private static final int MOST_KEPT = 4;

  private final Deque<Set> idle = new ArrayDeque<>();

  /**
   * Buffers for one layer.
   *
   * @param packed for bytes as they are stored
   * @param plain for bytes on their way into the tree
   */
  record Set(ByteBuffer packed, List<ByteBuffer> plain) {}

  Set take() {
    synchronized (idle) {
      Set known = idle.poll();
      if (known != null) {
        return known;
      }
    }
    List<ByteBuffer> plain = new ArrayList<>();
    for (int i = 0; i < PLAIN_BUFFERS; i++) {
      plain.add(ByteBuffer.allocateDirect(SIZE));
    }
    return new Set(ByteBuffer.allocateDirect(SIZE), List.copyOf(plain));
  }

  /** Gives buffers back that no thread uses any more. */
  void give(Set set) {
    synchronized (idle) {
      if (idle.size() < MOST_KEPT) {
        idle.push(set);
      }
    }
  }
}

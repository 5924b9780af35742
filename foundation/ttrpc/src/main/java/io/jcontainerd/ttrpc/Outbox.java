package io.jcontainerd.ttrpc;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What still has to be written to one connection, in order, written by one thread of its own.
 *
 * <p>Callers never touch the channel: an interrupt that hits a thread inside a channel closes it
 * for everybody. They wait only for room, and not for ever: a peer that takes nothing for the
 * length of the stall limit is given up, and the connection with it.
 */
final class Outbox {
  private static final int BUFFER = 16 << 10;

  /** Bytes that may wait. One frame of the greatest size always fits into an empty box. */
  static final int CAPACITY = 8 << 20;

  private final WritableByteChannel channel;
  private final long stallNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition room = lock.newCondition();
  private final Condition work = lock.newCondition();

  // guarded by lock
  private final ArrayDeque<Frame> waiting = new ArrayDeque<>();
  private long bytes;
  private boolean closed;

  /** When the peer last took something, or the box last stopped being empty. */
  private volatile long lastProgress;

  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);

  Outbox(WritableByteChannel channel, Duration stallLimit) {
    this.channel = channel;
    this.stallNanos = stallLimit.toNanos();
  }

  /** How a {@link #put} ended. */
  enum Put {
    QUEUED,
    /** The caller's own time ran out; the frame was not queued. */
    TIMED_OUT,
    /** The peer took nothing for the whole stall limit. */
    STALLED,
    CLOSED
  }

  /**
   * Queues a frame.
   *
   * @param size bytes of the frame's data
   * @param frame gives it; asked, without waiting, at the moment it gets its place in the order
   * @param limitNanos how long the caller can wait; {@link Long#MAX_VALUE} for as long as it takes
   */
  Put put(int size, Supplier<Frame> frame, long limitNanos) throws InterruptedException {
    int total = Frame.HEADER + size;
    long start = System.nanoTime();
    lock.lockInterruptibly();
    try {
      while (!closed && bytes > 0 && bytes + total > CAPACITY) {
        long now = System.nanoTime();
        long mine = limitNanos - (now - start);
        long theirs = stallNanos - (now - lastProgress);
        if (theirs <= 0) {
          return Put.STALLED;
        }
        if (mine <= 0) {
          return Put.TIMED_OUT;
        }
        room.awaitNanos(Math.min(mine, theirs));
      }
      if (closed) {
        return Put.CLOSED;
      }
      if (bytes == 0) {
        lastProgress = System.nanoTime();
      }
      waiting.add(frame.get());
      bytes += total;
      work.signal();
      return Put.QUEUED;
    } finally {
      lock.unlock();
    }
  }

  /** Ends the writer; what still waits is dropped. */
  void close() {
    lock.lock();
    try {
      closed = true;
      waiting.clear();
      room.signalAll();
      work.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until everything queued so far has been handed to the kernel; false when time ran out.
   */
  boolean drain(Duration limit) throws InterruptedException {
    long left = limit.toNanos();
    lock.lockInterruptibly();
    try {
      while (!closed && bytes > 0) {
        if (left <= 0) {
          return false;
        }
        left = room.awaitNanos(left);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** The writer's thread: returns when the box is closed. */
  void write() throws IOException {
    Frame frame = take();
    while (frame != null) {
      buffer.clear();
      int sent = 0;
      // small frames travel together; a big one goes on its own behind its header
      while (frame != null && Frame.HEADER + frame.data().length <= buffer.remaining()) {
        header(frame);
        buffer.put(frame.data());
        sent += Frame.HEADER + frame.data().length;
        frame = poll();
      }
      if (frame != null && buffer.remaining() >= Frame.HEADER) {
        byte[] data = frame.data();
        header(frame);
        int head = Math.min(data.length, buffer.remaining());
        buffer.put(data, 0, head);
        flush(buffer.flip());
        flush(ByteBuffer.wrap(data, head, data.length - head));
        sent += Frame.HEADER + data.length;
        frame = null;
      } else {
        flush(buffer.flip());
      }
      wrote(sent);
      if (frame == null) {
        frame = take();
      }
    }
  }

  private void header(Frame frame) {
    buffer.putInt(frame.data().length).putInt(frame.streamId());
    buffer.put(frame.type()).put(frame.flags());
  }

  private void flush(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
      lastProgress = System.nanoTime();
    }
  }

  private void wrote(int count) {
    lock.lock();
    try {
      bytes -= count;
      room.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Frame poll() {
    lock.lock();
    try {
      return waiting.poll();
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Frame take() {
    lock.lock();
    try {
      while (!closed && waiting.isEmpty()) {
        work.awaitUninterruptibly();
      }
      return closed ? null : waiting.poll();
    } finally {
      lock.unlock();
    }
  }
}

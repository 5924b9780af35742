package io.jcontainerd.ttrpc;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one stream on their way from the connection's reader to the stream's user.
 *
 * <p>The reader must never wait for a user, since all other calls of the connection wait for the
 * reader. The protocol has no flow control, so a user that falls {@value #CAPACITY} bytes behind
 * loses its stream, and only its stream.
 */
final class MessageQueue {
  static final int CAPACITY = 16 << 20;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition change = lock.newCondition();

  // guarded by lock
  private final ArrayDeque<byte[]> messages = new ArrayDeque<>();
  private long bytes;
  private boolean ended;
  private @Nullable TtrpcException failure;

  /** Adds a message; false when the user is too far behind, which has then failed the queue. */
  boolean add(byte[] message) {
    lock.lock();
    try {
      if (ended) {
        return true;
      }
      if (bytes > 0 && bytes + message.length > CAPACITY) {
        finish(
            new TtrpcException(
                StatusCode.RESOURCE_EXHAUSTED,
                "stream: more than " + CAPACITY + " bytes wait to be received"));
        return false;
      }
      messages.add(message);
      bytes += message.length;
      change.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** No more messages come: null after an orderly end. The first end counts. */
  void end(@Nullable TtrpcException why) {
    lock.lock();
    try {
      finish(why);
    } finally {
      lock.unlock();
    }
  }

  private void finish(@Nullable TtrpcException why) {
    if (!ended) {
      ended = true;
      failure = why;
      change.signalAll();
    }
  }

  /**
   * The next message, null after the last.
   *
   * @param deadline in {@link System#nanoTime} terms, null for none
   * @throws TtrpcException how the stream failed, after all messages that came before it
   */
  byte @Nullable [] take(@Nullable Long deadline) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (messages.isEmpty() && !ended) {
        if (deadline == null) {
          change.await();
        } else {
          long left = deadline - System.nanoTime();
          if (left <= 0) {
            throw new TtrpcException(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded");
          }
          change.awaitNanos(left);
        }
      }
      byte[] message = messages.poll();
      if (message != null) {
        bytes -= message.length;
        return message;
      }
      if (failure != null) {
        throw failure.afresh();
      }
      return null;
    } finally {
      lock.unlock();
    }
  }
}

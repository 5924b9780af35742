package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One synchronisation for all who ask at about the same time. Whoever asks gets one that began
 * after the question: it runs at once if none is running; otherwise all who come meanwhile wait and
 * share the next, its failure included: the kernel tells a lost write only once. The lock guards
 * the numbers only and is not held while synchronising.
 *
 * <p>The kernel cannot be told to end one, so whoever runs it is with it to its end. Those who wait
 * give up when their time is over, or when it has gone on for so long that its disk must hang.
 */
final class SharedSync {
  /** Makes everything written so far survive a power cut. */
  @FunctionalInterface
  interface Action {
    void run() throws IOException;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private final String subject;
  private final Duration longest;
  private final Action action;
  private boolean running;
  private boolean closed;
  private long since; // when the one that runs began
  private long begun;
  private long succeeded;
  private long failed;
  private @Nullable IOException failure;

  /**
   * @param subject whose file system it is, for messages
   * @param longest that one may take until nobody waits for it any more
   */
  SharedSync(String subject, Duration longest, Action action) {
    this.subject = subject;
    this.longest = longest;
    this.action = action;
  }

  /**
   * Waits for the one that runs, whoever interrupts; none begins after it.
   *
   * @return false if it still runs after the limit
   */
  boolean close(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    boolean interrupted = false;
    lock.lock();
    try {
      closed = true;
      while (running) {
        long left = end - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        try {
          long _ = ended.awaitNanos(left);
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
      return true;
    } finally {
      lock.unlock();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /**
   * Returns after a synchronisation that began after this call.
   *
   * @param patience the longest wait for one that others run
   * @throws CancelledException if the thread is interrupted while it waits for somebody else's
   * @throws DeadlineExceededException if that does not end in time
   * @throws UnavailableException if this is closed
   */
  void run(Duration patience) throws IOException {
    long mine;
    long asked = System.nanoTime();
    lock.lock();
    try {
      long wanted = begun + 1;
      while (running && succeeded < wanted && failed < wanted) {
        long _ = ended.awaitNanos(left(asked, patience));
      }
      if (failed >= wanted) {
        throw new IOException("synchronising " + subject + " failed", failure);
      }
      if (succeeded >= wanted) {
        return;
      }
      if (closed) {
        throw new UnavailableException("synchronising " + subject + ": it is being closed");
      }
      running = true;
      since = System.nanoTime();
      mine = ++begun;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("synchronising " + subject + ": interrupted", e);
    } finally {
      lock.unlock();
    }
    @Nullable IOException problem = null;
    boolean done = false;
    try {
      action.run();
      done = true;
    } catch (IOException e) {
      problem = e;
      throw e;
    } finally {
      lock.lock();
      try {
        running = false;
        if (done) {
          succeeded = mine;
        } else {
          failed = mine;
          failure = problem;
        }
        ended.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** How many nanoseconds there are to wait for another's. */
  private long left(long asked, Duration patience) {
    long now = System.nanoTime();
    long left = Math.min(patience.toNanos() - (now - asked), longest.toNanos() - (now - since));
    if (left <= 0) {
      throw new DeadlineExceededException(
          "synchronising %s: the one that others wait for is under way for %d s"
              .formatted(subject, (now - since) / 1_000_000_000));
    }
    return left;
  }
}

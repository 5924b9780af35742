package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One synchronisation for all who ask at about the same time. Whoever asks gets one that began
 * after the question: it runs at once if none is running; otherwise all who come meanwhile wait and
 * share the next, its failure included: the kernel tells a lost write only once. The lock guards
 * the numbers only and is not held while synchronising.
 */
final class SharedSync {
  /** Makes everything written so far survive a power cut. */
  @FunctionalInterface
  interface Action {
    void run() throws IOException;
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition ended = lock.newCondition();
  private final Action action;
  private boolean running;
  private boolean closed;
  private long begun;
  private long succeeded;
  private long failed;
  private @Nullable IOException failure;

  SharedSync(Action action) {
    this.action = action;
  }

  /** Waits for the one that runs; none begins after it. */
  void close() {
    lock.lock();
    try {
      closed = true;
      while (running) {
        ended.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Returns after a synchronisation that began after this call.
   *
   * @throws CancelledException if the thread is interrupted while it waits for somebody else's
   * @throws UnavailableException if this is closed
   */
  void run() throws IOException {
    long mine;
    lock.lock();
    try {
      long wanted = begun + 1;
      while (running && succeeded < wanted && failed < wanted) {
        ended.await();
      }
      if (failed >= wanted) {
        throw new IOException("synchronising the file system failed", failure);
      }
      if (succeeded >= wanted) {
        return;
      }
      if (closed) {
        throw new UnavailableException("synchronising the file system: it is being closed");
      }
      running = true;
      mine = ++begun;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("synchronising the file system: interrupted", e);
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
}

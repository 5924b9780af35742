package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where workers wait while the daemon is down or looked at. One life of the daemon, as far as
 * workers see it, is a {@link Session}.
 */
final class Gate {
  /** One life of the daemon. */
  static final class Session {
    private final Containerd client;
    private final boolean finishing;
    private volatile boolean over;

    private Session(Containerd client, boolean finishing) {
      this.client = client;
      this.finishing = finishing;
    }

    Containerd client() {
      return client;
    }

    /** Whether failures are to be expected: the daemon is dead, or dying. */
    boolean isOver() {
      return over;
    }
  }

  private int workers;
  private @Nullable Session session;
  private int waiting;
  private int waitingWithWork;
  private boolean closed;

  Gate(int workers) {
    this.workers = workers;
  }

  /**
   * Lets workers go on.
   *
   * @param finishing whether only with what they have begun
   */
  synchronized void open(Containerd client, boolean finishing) {
    session = new Session(client, finishing);
    notifyAll();
  }

  /** To be called before the daemon is ended: from now on failures are expected. */
  synchronized void over() {
    if (session != null) {
      session.over = true;
    }
    session = null;
  }

  /** Lets workers end. */
  synchronized void close() {
    over();
    closed = true;
    notifyAll();
  }

  /**
   * Waits until there is something to do.
   *
   * @param begun whether the worker has begun something
   * @return null if all is over
   */
  synchronized @Nullable Session enter(boolean begun) throws InterruptedException {
    waiting++;
    waitingWithWork += begun ? 1 : 0;
    notifyAll();
    try {
      while (!closed) {
        Session now = session;
        if (now != null && (begun || !now.finishing)) {
          return now;
        }
        wait();
      }
      return null;
    } finally {
      waiting--;
      waitingWithWork -= begun ? 1 : 0;
    }
  }

  /** A worker will not come back. */
  synchronized void leave() {
    workers--;
    notifyAll();
  }

  /** Waits until every worker waits and none will go on by itself; false if that takes too long. */
  synchronized boolean awaitIdle(Duration patience) throws InterruptedException {
    long deadline = System.nanoTime() + patience.toNanos();
    while (waiting < workers || (session != null && waitingWithWork > 0)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return false;
      }
      wait(left);
    }
    return true;
  }
}

package io.jcontainerd.shim;

import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.RunningOperation;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Lets one operation at a time work on a thing, in the order in which they came. Unlike a lock it
 * is made for operations that take long, so waiting for it has a limit and says for whom.
 */
final class Turn {
  private final String subject;
  private final Semaphore free = new Semaphore(1, true);
  private volatile String holder = "";

  /**
   * @param subject for messages, such as {@code container web}
   */
  Turn(String subject) {
    this.subject = subject;
  }

  /** Whose turns these are, for messages. */
  String subject() {
    return subject;
  }

  /** The turn, until it is closed. */
  final class Held implements AutoCloseable {
    private boolean open = true;

    private Held() {}

    @Override
    public void close() {
      if (open) {
        open = false;
        holder = "";
        free.release();
      }
    }
  }

  /**
   * Waits for the turn.
   *
   * @throws UnavailableException if it does not come within the limit
   */
  Held take(String operation, Duration limit) throws InterruptedException {
    if (!free.tryAcquire(0, TimeUnit.NANOSECONDS)) { // unlike without a limit, in order
      await(operation, limit);
    }
    holder = operation;
    return new Held();
  }

  private void await(String operation, Duration limit) throws InterruptedException {
    RunningOperation.tell("turn", holder + " of " + subject);
    if (!free.tryAcquire(limit.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new UnavailableException(
          subject + ": " + operation + " waited " + limit.toSeconds() + " s for " + holder);
    }
  }
}

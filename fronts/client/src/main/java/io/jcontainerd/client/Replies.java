package io.jcontainerd.client;

import io.grpc.stub.BlockingClientCall;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A call of several messages, of which each is waited for no longer than a limit: a daemon that
 * lives but does not go on must not hold its clients for ever. A limit of zero is none.
 */
final class Replies<Q, R> {
  private static final Logger LOG = System.getLogger(Replies.class.getName());

  private final BlockingClientCall<Q, R> call;
  private final Duration limit;

  Replies(BlockingClientCall<Q, R> call, Duration limit) {
    this.call = call;
    this.limit = limit;
  }

  /**
   * The next answer; null at the end.
   *
   * @throws DeadlineExceededException if it does not come
   */
  @Nullable R next() {
    return Connection.<@Nullable R>send(
        () -> {
          if (limit.isZero()) {
            return call.read();
          }
          try {
            return call.read(limit.toNanos(), TimeUnit.NANOSECONDS);
          } catch (TimeoutException e) {
            throw stalled(e);
          }
        });
  }

  /** Sends a message; there may be an end of the call instead, which {@link #next} tells. */
  void write(Q message) {
    Connection.send(
        () -> {
          if (limit.isZero()) {
            return call.write(message);
          }
          try {
            return call.write(message, limit.toNanos(), TimeUnit.NANOSECONDS);
          } catch (TimeoutException e) {
            throw stalled(e);
          }
        });
  }

  private DeadlineExceededException stalled(TimeoutException e) {
    return new DeadlineExceededException(
        "the daemon did not go on for " + limit.toMillis() + " ms", e);
  }

  /** Shows every message; the call is cancelled when that fails. */
  void each(Consumer<R> consumer) {
    boolean done = false;
    try {
      for (@Nullable R reply = next(); reply != null; reply = next()) {
        consumer.accept(reply);
      }
      done = true;
    } finally {
      if (!done) {
        cancel("the reader ended early");
      }
    }
  }

  /** Says that nothing more is sent, and waits until the daemon has done with the call. */
  void finish() {
    try {
      call.halfClose();
      while (next() != null) {
        LOG.log(Level.TRACE, "an answer that nobody waits for");
      }
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "the end of a call", e);
      cancel("the daemon did not end the call");
    }
  }

  void cancel(String reason) {
    call.cancel(reason, null);
  }
}

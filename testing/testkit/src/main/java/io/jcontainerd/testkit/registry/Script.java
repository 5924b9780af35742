package io.jcontainerd.testkit.registry;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** What a {@link ScriptedRegistry} answers; called by several threads at once. */
@FunctionalInterface
public interface Script {
  /** The answer to a request. */
  Reply reply(Seen seen);

  /**
   * How many bytes of a request's body are read before it is answered.
   *
   * @param head the request without its body
   */
  default long appetite(Seen head) {
    return Long.MAX_VALUE;
  }

  /**
   * Called when an answer that breaks off was sent; its connection ends when this returns. Bytes
   * and the end right behind them are one to some clients, which then lose the bytes.
   */
  default void beforeEnd(Seen seen, Reply reply) {
    LockSupport.parkNanos(Duration.ofMillis(400).toNanos());
  }
}

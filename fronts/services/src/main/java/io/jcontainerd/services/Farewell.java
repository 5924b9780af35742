package io.jcontainerd.services;

import io.jcontainerd.wire.streams.MessageStream;
import java.time.Duration;

/** How a thread that tells a client things ends: it may say its last words, for a while. */
final class Farewell {
  private Farewell() {}

  /**
   * Waits for the thread, which knows that it shall end, and closes its stream. Who was interrupted
   * does not wait, and stays interrupted.
   */
  static void of(Thread teller, Duration longest, MessageStream stream) {
    boolean interrupted = Thread.interrupted();
    try {
      if (interrupted || !teller.join(longest)) {
        teller.interrupt();
      }
    } catch (InterruptedException e) {
      interrupted = true;
      teller.interrupt();
    } finally {
      stream.close();
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

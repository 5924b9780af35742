package io.jcontainerd.core.ports;

import java.time.Duration;
import java.time.Instant;

/** The clock. Engines read no other. Safe for many threads. */
public interface Time {
  /** The machine's clock. */
  Time SYSTEM = new SystemTime();

  /** The time of day, to the nanosecond where the machine has it. */
  Instant now();

  /** Nanoseconds since some moment; never goes back. */
  long nanoTime();

  /** Waits. */
  void sleep(Duration duration) throws InterruptedException;
}

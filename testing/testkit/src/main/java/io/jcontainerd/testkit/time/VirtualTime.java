package io.jcontainerd.testkit.time;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;

/**
 * A clock that stands still until it is advanced. {@link #sleep} returns once the clock has been
 * advanced far enough by another thread. Safe for many threads.
 */
public final class VirtualTime implements Time {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private Instant now;
  private long nanos;
  private int sleepers;

  /** A clock that shows this time. */
  public VirtualTime(Instant start) {
    now = start;
  }

  /** A clock that shows the beginning of the year 2026. */
  public VirtualTime() {
    this(Instant.parse("2026-01-01T00:00:00Z"));
  }

  /** Lets time pass. */
  public synchronized void advance(Duration duration) {
    now = now.plus(duration);
    nanos += duration.toNanos();
    notifyAll();
  }

  /** Waits until so many threads sleep, so that a test can advance the clock past them. */
  public synchronized void awaitSleepers(int count) throws InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (sleepers < count) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      assertThat(left).as("time left until %d sleep; now %d do", count, sleepers).isPositive();
      wait(left);
    }
  }

  @Override
  public synchronized Instant now() {
    return now;
  }

  @Override
  public synchronized long nanoTime() {
    return nanos;
  }

  @Override
  public synchronized void sleep(Duration duration) throws InterruptedException {
    long until = nanos + duration.toNanos();
    sleepers++;
    notifyAll();
    try {
      while (nanos - until < 0) {
        wait();
      }
    } finally {
      sleepers--;
    }
  }
}

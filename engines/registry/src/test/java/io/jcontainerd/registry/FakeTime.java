package io.jcontainerd.registry;

import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A clock on which waiting takes no time. */
public final class FakeTime implements Time {
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  public final List<Duration> sleeps = new CopyOnWriteArrayList<>();

  /** A clock that shows the beginning of the year 2026. */
  public FakeTime() {}

  @Override
  public synchronized Instant now() {
    return now;
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }

  @Override
  public synchronized void sleep(Duration duration) {
    sleeps.add(duration);
    now = now.plus(duration);
  }
}

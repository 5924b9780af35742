package io.jcontainerd.testkit.time;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** What another thread or process does soon, of which nobody tells. */
public final class Soon {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final Duration PAUSE = Duration.ofNanos(200_000);

  /** What is waited for. */
  @FunctionalInterface
  public interface Condition<X extends Exception> {
    /** Whether it is so now. */
    boolean holds() throws X;
  }

  private Soon() {}

  /** Waits until it is so; fails with these words if it takes too long for anybody. */
  public static <X extends Exception> void until(String what, Condition<X> condition) throws X {
    long begun = System.nanoTime();
    while (!condition.holds()) {
      assertThat(System.nanoTime() - begun).as("time until " + what).isLessThan(LIMIT.toNanos());
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }
}

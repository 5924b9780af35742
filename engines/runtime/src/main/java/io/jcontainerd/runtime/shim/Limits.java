package io.jcontainerd.runtime.shim;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.DeadlineExceededException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** How long a request may take: what its caller allows, and never more than its own limit. */
public final class Limits {
  private Limits() {}

  /**
   * The time left.
   *
   * @throws DeadlineExceededException if the caller's time is over
   */
  public static Duration atMost(Duration own) {
    Optional<Duration> left = ofCaller();
    return left.isPresent() && left.get().compareTo(own) < 0 ? left.get() : own;
  }

  /** The time that the caller allows, if it said. */
  public static Optional<Duration> ofCaller() {
    Optional<Duration> left =
        Call.current().deadline().map(end -> Duration.between(Instant.now(), end));
    if (left.isPresent() && !left.get().isPositive()) {
      throw new DeadlineExceededException("task request came after its deadline");
    }
    return left;
  }

  /** Whether the caller's time is over. */
  public static boolean isOver() {
    return Call.current().deadline().filter(end -> !end.isAfter(Instant.now())).isPresent();
  }
}

package io.jcontainerd.runtime;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.DeadlineExceededException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** How long a request may take: what its caller allows, and never more than its own limit. */
final class Limits {
  private Limits() {}

  /**
   * The time left.
   *
   * @throws DeadlineExceededException if the caller's time is over
   */
  static Duration atMost(Duration own) {
    Optional<Duration> left = ofCaller();
    return left.isPresent() && left.get().compareTo(own) < 0 ? left.get() : own;
  }

  /** The time that the caller allows, if it said. */
  static Optional<Duration> ofCaller() {
    Optional<Duration> left =
        Call.current().deadline().map(end -> Duration.between(Instant.now(), end));
    if (left.isPresent() && !left.get().isPositive()) {
      throw new DeadlineExceededException("task request came after its deadline");
    }
    return left;
  }
}

package io.jcontainerd.selfcheck;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Duration;
import java.util.function.DoubleSupplier;

/**
 * How the scrub goes about its work.
 *
 * @param enabled whether it looks at anything at all
 * @param repair whether it heals what it finds
 * @param interval from the beginning of a round to that of the next
 * @param delay after a start, before the first look
 * @param bytesPerSecond that it reads at most
 * @param load how busy the machine is; as many as it has processors is fully so
 * @param mostLoad above which the scrub waits
 */
public record ScrubOptions(
    boolean enabled,
    boolean repair,
    Duration interval,
    Duration delay,
    long bytesPerSecond,
    DoubleSupplier load,
    double mostLoad) {
  /** Refuses to be endlessly slow or quick. */
  public ScrubOptions {
    if (bytesPerSecond < 1 || interval.isNegative() || delay.isNegative()) {
      throw new InvalidArgumentException("scrub: the rate must be positive, times not negative");
    }
  }

  /** No scrub. */
  public static ScrubOptions off() {
    return new ScrubOptions(false, false, Duration.ZERO, Duration.ZERO, 1, () -> 0, 1);
  }
}

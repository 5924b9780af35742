package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Duration;

/**
 * When the garbage collector runs; the knobs of containerd's {@code io.containerd.gc.v1.scheduler},
 * and one of our own.
 *
 * @param pauseThreshold the greatest part of the time that writers may be held up; at most a half,
 *     and zero or less for no bound
 * @param deletionThreshold so many deletions bring the next run on at once; 0 for never
 * @param mutationThreshold so many changes without a deletion are worth a run
 * @param scheduleDelay between a reason to run at once and the run
 * @param startupDelay between the start and the first run; zero for none
 * @param rest the longest time between a change, however small, and a run
 */
public record GcOptions(
    double pauseThreshold,
    int deletionThreshold,
    int mutationThreshold,
    Duration scheduleDelay,
    Duration startupDelay,
    Duration rest) {

  /** containerd's. */
  public static final GcOptions DEFAULTS =
      new GcOptions(0.02, 0, 100, Duration.ZERO, Duration.ofMillis(100), Duration.ofMinutes(10));

  private static final double HIGHEST_PAUSE = 0.5;

  /** Caps the pause threshold and refuses what makes no sense. */
  public GcOptions {
    if (Double.isNaN(pauseThreshold)
        || deletionThreshold < 0
        || mutationThreshold < 0
        || scheduleDelay.isNegative()
        || startupDelay.isNegative()
        || rest.isNegative()) {
      throw new InvalidArgumentException("garbage collection: thresholds must not be negative");
    }
    pauseThreshold = Math.clamp(pauseThreshold, 0, HIGHEST_PAUSE);
  }

  /** containerd's knobs, and ours as usual. */
  public GcOptions(
      double pauseThreshold,
      int deletionThreshold,
      int mutationThreshold,
      Duration scheduleDelay,
      Duration startupDelay) {
    this(
        pauseThreshold,
        deletionThreshold,
        mutationThreshold,
        scheduleDelay,
        startupDelay,
        DEFAULTS.rest());
  }
}

package io.jcontainerd.core.check;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/** Finds damage in what is stored, and heals it. Safe for many threads. */
public interface StorageCare {
  /**
   * How to look.
   *
   * @param deep whether every byte is read; else only what can be seen without
   * @param repair whether damage is healed
   */
  record Request(boolean deep, boolean repair) {}

  /**
   * What was looked at.
   *
   * @param blobs how many
   * @param layers how many
   * @param files names in layers
   * @param bytes read
   * @param unrecorded layers of which nothing is recorded yet
   * @param found damages
   * @param healed of them
   * @param took how long
   */
  record Summary(
      long blobs,
      long layers,
      long files,
      long bytes,
      long unrecorded,
      long found,
      long healed,
      Duration took) {}

  /**
   * What the scrub, which looks at everything again and again while there is nothing else to do,
   * has done.
   *
   * @param running whether it is on
   * @param waiting things to look at in this round
   * @param looked things looked at in this round
   * @param bytes read since the daemon was started
   * @param roundBegan when this round began
   * @param lastRound when the last complete round ended
   * @param quarantined layers that are not served
   */
  record Scrub(
      boolean running,
      long waiting,
      long looked,
      long bytes,
      Optional<Instant> roundBegan,
      Optional<Instant> lastRound,
      long quarantined) {}

  /** Looks at everything once. */
  Summary check(Request request, Consumer<Finding> each) throws InterruptedException;

  /** How far the scrub is. */
  Scrub scrub();
}

package io.jcontainerd.metadata;

import java.time.Duration;

/**
 * What the garbage collector did since it was opened.
 *
 * @param succeeded runs
 * @param failed runs
 * @param lastRun how long the newest run took, all in all
 * @param lastHeld how long it held writers up
 * @param total how long all that succeeded took together
 */
public record GcStats(
    long succeeded, long failed, Duration lastRun, Duration lastHeld, Duration total) {}

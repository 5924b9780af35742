package io.jcontainerd.store;

import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;

/**
 * How a store behaves.
 *
 * @param queueLimit the most writes that may wait
 * @param groupLimit the most writes that share one commit
 * @param readerLimit the most reads at the same time
 * @param maxWait the longest wait for a place in the queue, for a write to begin, or for a reader
 * @param eventsKept how many of the newest events are kept
 * @param reserveBytes space kept back for deleting on a full disk; 0 for none
 * @param nanoClock the time of day in nanoseconds since 1970, for schema steps
 */
public record StoreOptions(
    int queueLimit,
    int groupLimit,
    int readerLimit,
    Duration maxWait,
    long eventsKept,
    long reserveBytes,
    LongSupplier nanoClock) {

  /** What the daemon uses unless told otherwise. */
  public static final StoreOptions DEFAULTS =
      new StoreOptions(
          1024, 256, 16, Duration.ofSeconds(30), 65_536, 4L << 20, StoreOptions::systemNanos);

  /** Refuses limits below one. */
  public StoreOptions {
    if (queueLimit < 1 || groupLimit < 1 || readerLimit < 1 || eventsKept < 1 || reserveBytes < 0) {
      throw new IllegalArgumentException("store options: limits must be positive");
    }
    if (maxWait.isNegative() || maxWait.isZero()) {
      throw new IllegalArgumentException("store options: maximum wait must be positive");
    }
  }

  /** These options with another limit of waiting writes. */
  public StoreOptions withQueueLimit(int limit) {
    return new StoreOptions(
        limit, groupLimit, readerLimit, maxWait, eventsKept, reserveBytes, nanoClock);
  }

  /** These options with another longest wait. */
  public StoreOptions withMaxWait(Duration wait) {
    return new StoreOptions(
        queueLimit, groupLimit, readerLimit, wait, eventsKept, reserveBytes, nanoClock);
  }

  /** These options with another number of kept events. */
  public StoreOptions withEventsKept(long kept) {
    return new StoreOptions(
        queueLimit, groupLimit, readerLimit, maxWait, kept, reserveBytes, nanoClock);
  }

  private static long systemNanos() {
    Instant now = Instant.now();
    return now.getEpochSecond() * 1_000_000_000L + now.getNano();
  }
}

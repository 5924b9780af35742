package io.jcontainerd.transfer.fetch;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * How blobs are fetched, in the whole daemon.
 *
 * @param partBytes what one of several connections fetches before it takes the next part
 * @param mostLines connections for one blob, at most
 * @param extraLines connections beyond the first of each blob that may still be opened; each has a
 *     buffer of a part's size
 * @param partStall the longest that one of several connections may bring nothing before its part is
 *     asked for anew
 * @param patience the longest that a blob may get no byte at all
 * @param window the shortest time after which it is looked at whether more connections help
 */
public record FetchLimits(
    int partBytes,
    int mostLines,
    Semaphore extraLines,
    Duration partStall,
    Duration patience,
    Duration window) {
  private static final int USUAL_PART = 2 << 20;
  private static final int LARGEST_PART = 8 << 20;
  private static final int USUAL_EXTRA = 7;
  private static final Duration LONGEST_STALL = Duration.ofSeconds(10);

  /** Refuses parts of no size. */
  public FetchLimits {
    if (partBytes < 1 || mostLines < 1) {
      throw new InvalidArgumentException("parts of blobs must have a size");
    }
  }

  /**
   * What is usual: the buffers of all connections together take 16 MiB, for the daemon's heap is
   * small.
   *
   * @param partBytes of a part; 0 for what is usual
   * @param patience the longest that a blob may get no byte at all
   */
  public static FetchLimits usual(long partBytes, Duration patience) {
    int part = partBytes == 0 ? USUAL_PART : (int) Math.min(partBytes, LARGEST_PART);
    int extra = Math.max(1, (int) Math.min(USUAL_EXTRA, (long) USUAL_EXTRA * USUAL_PART / part));
    return new FetchLimits(
        part,
        USUAL_EXTRA + 1,
        new Semaphore(extra),
        shorter(LONGEST_STALL, patience.dividedBy(10)),
        patience,
        Duration.ofMillis(250));
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }
}

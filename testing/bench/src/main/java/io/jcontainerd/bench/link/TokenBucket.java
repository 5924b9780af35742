package io.jcontainerd.bench.link;

/**
 * How long who wants to send must wait so that all together keep to a rate. What is taken is owed:
 * the wait is until the debt is paid, so pieces of any size are allowed. For many threads.
 */
public final class TokenBucket {
  private static final double NANOS = 1e9;

  private final double nanosPerByte;
  private final long burstNanos;
  private long paid;
  private boolean begun;

  /**
   * @param bytesPerSecond the rate
   * @param burst bytes that may go at once after a rest
   */
  public TokenBucket(long bytesPerSecond, long burst) {
    nanosPerByte = NANOS / bytesPerSecond;
    burstNanos = Math.round(burst * nanosPerByte);
  }

  /**
   * Takes bytes.
   *
   * @param now in nanoseconds of any clock that does not go back
   * @return the nanoseconds to wait before they are sent
   */
  public synchronized long take(int bytes, long now) {
    long rested = now - burstNanos;
    if (!begun || paid - rested < 0) {
      begun = true;
      paid = rested;
    }
    paid += Math.round(bytes * nanosPerByte);
    return Math.max(0, paid - now);
  }
}

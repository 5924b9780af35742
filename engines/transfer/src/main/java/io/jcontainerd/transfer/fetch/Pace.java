package io.jcontainerd.transfer.fetch;

/**
 * How many connections make a blob come faster. It is looked at in windows: while the taker mostly
 * waits for bytes, there are twice as many as before; when that did not help, half as many again,
 * and it stays at that. For one thread.
 */
final class Pace {
  /** What to do next. */
  enum Advice {
    /** Go on. */
    STAY,
    /** Twice as many connections. */
    MORE,
    /** Half as many. */
    FEWER
  }

  private static final double BETTER = 1.2;
  private static final double WAITING = 0.4;
  private static final long FEWEST_BYTES = 1 << 20;

  private final long windowNanos;
  private long since;
  private long before;
  private long waited;
  private boolean settling;
  private boolean settled;
  private boolean grew;
  private double rateBefore;
  private double rate;

  Pace(long windowNanos, long now) {
    this.windowNanos = windowNanos;
    this.since = now;
  }

  void waited(long nanos) {
    waited += nanos;
  }

  /**
   * Looks at what came over all connections: what is taken comes in the order of the blob, and says
   * nothing of those that are ahead.
   *
   * @param received bytes since the beginning
   */
  Advice look(long received, long now) {
    long bytes = received - before;
    long elapsed = now - since;
    if (elapsed < windowNanos || bytes < FEWEST_BYTES) {
      return Advice.STAY;
    }
    rate = (double) bytes / elapsed;
    boolean hungry = waited > WAITING * elapsed;
    since = now;
    before = received;
    waited = 0;
    if (settled) {
      return Advice.STAY;
    }
    if (settling) {
      settling = false;
      return Advice.STAY;
    }
    if (grew && rate < rateBefore * BETTER) {
      settled = true;
      return Advice.FEWER;
    }
    rateBefore = rate;
    grew = hungry;
    settling = hungry;
    return hungry ? Advice.MORE : Advice.STAY;
  }

  /** What comes in so much time, as far as is known. */
  long bytesIn(long nanos) {
    return (long) (rate * nanos);
  }

  /** There are no more connections to be had. */
  void settle() {
    settled = true;
  }
}

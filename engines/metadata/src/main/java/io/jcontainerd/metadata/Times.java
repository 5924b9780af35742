package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Instant;

/** Times as the store keeps them: nanoseconds since 1970, which reach from 1678 to 2262. */
final class Times {
  private static final long SECOND = 1_000_000_000L;

  private Times() {}

  static long nanos(Instant time) {
    try {
      return Math.addExact(Math.multiplyExact(time.getEpochSecond(), SECOND), time.getNano());
    } catch (ArithmeticException e) {
      throw new InvalidArgumentException("time " + time + " is out of range", e);
    }
  }

  static Instant instant(long nanos) {
    return Instant.ofEpochSecond(Math.floorDiv(nanos, SECOND), Math.floorMod(nanos, SECOND));
  }
}

package io.jcontainerd.wire;

import com.google.protobuf.Timestamp;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;

/**
 * Instants and {@code google.protobuf.Timestamp}.
 *
 * <p>Go's zero time, the first second of year 1, stands for no time at all; clients send it and
 * expect it where a time is not known.
 */
public final class Times {
  private static final int MAX_NANOS = 999_999_999;
  private static final long GO_ZERO_SECONDS = -62135596800L;

  /** No time, as Go writes it. */
  public static final Timestamp NONE = Timestamp.newBuilder().setSeconds(GO_ZERO_SECONDS).build();

  private Times() {}

  /** The instant as a timestamp. */
  public static Timestamp toApi(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  /** The instant as a timestamp, or {@link #NONE}. */
  public static Timestamp toApi(Optional<Instant> instant) {
    return instant.map(Times::toApi).orElse(NONE);
  }

  /**
   * The timestamp as an instant.
   *
   * @throws InvalidArgumentException if its seconds or nanoseconds are out of range
   */
  public static Instant toCore(Timestamp timestamp) {
    long seconds = timestamp.getSeconds();
    int nanos = timestamp.getNanos();
    if (nanos < 0 || nanos > MAX_NANOS) {
      throw new InvalidArgumentException(
          "timestamp of %d seconds and %d nanoseconds: out of range".formatted(seconds, nanos));
    }
    try {
      return Instant.ofEpochSecond(seconds, nanos);
    } catch (DateTimeException e) {
      throw new InvalidArgumentException(
          "timestamp of %d seconds: out of range".formatted(seconds), e);
    }
  }

  /**
   * The timestamp, or nothing if the field is absent or holds Go's zero time.
   *
   * @param present whether the message has the field
   */
  public static Optional<Instant> toCore(boolean present, Timestamp timestamp) {
    return present && !timestamp.equals(NONE) ? Optional.of(toCore(timestamp)) : Optional.empty();
  }
}

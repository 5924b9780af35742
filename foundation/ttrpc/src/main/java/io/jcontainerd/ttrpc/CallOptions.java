package io.jcontainerd.ttrpc;

import java.time.Duration;
import java.util.Optional;

/**
 * How long a call may take and what goes with it. A call without a deadline ends with its answer or
 * with the connection, which suits a {@code Wait} and little else.
 *
 * @param timeout also sent to the server, which may give up by itself; positive
 */
public record CallOptions(Optional<Duration> timeout, Metadata metadata) {
  public CallOptions {
    if (timeout.isPresent() && !timeout.get().isPositive()) {
      throw new IllegalArgumentException("timeout is not positive: " + timeout.get());
    }
  }

  public static CallOptions within(Duration timeout) {
    return new CallOptions(Optional.of(timeout), Metadata.EMPTY);
  }

  /** No deadline: the call lasts until it is answered or the connection ends. */
  public static CallOptions untilClosed() {
    return new CallOptions(Optional.empty(), Metadata.EMPTY);
  }

  public CallOptions with(Metadata other) {
    return new CallOptions(timeout, other);
  }
}

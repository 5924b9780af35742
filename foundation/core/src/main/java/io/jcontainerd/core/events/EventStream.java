package io.jcontainerd.core.events;

import java.time.Duration;
import java.util.Optional;

/** A subscriber's view of the events, in the order in which they were accepted. For one thread. */
public interface EventStream extends AutoCloseable {
  /**
   * The next event.
   *
   * @param timeout the longest wait
   * @return empty if none came in time
   * @throws io.jcontainerd.core.failure.UnavailableException if the exchange was closed
   */
  Optional<Event.Numbered> next(Duration timeout) throws InterruptedException;

  @Override
  void close();
}

package io.jcontainerd.core.events;

import java.util.function.Predicate;

/**
 * Where events are recorded, numbered and told. An event of a change to the store is recorded in
 * the change's own transaction. Safe for many threads.
 */
public interface EventExchange {
  /**
   * Records an event durably and tells it to the subscribers.
   *
   * @return its number
   */
  long publish(Event event);

  /**
   * As {@link #publish}, for an event that may be told again because nobody heard the answer: one
   * that was recorded, or had a later one of the same teller recorded, is left out.
   *
   * @return whether it is recorded now
   */
  boolean publishOnce(Event.Origin origin, Event event);

  /** Shows the events of all namespaces from now on that the test accepts. */
  EventStream subscribe(Predicate<Event> accepts);

  /**
   * Shows the recorded events after a number, and then those to come.
   *
   * @param after 0 for the oldest that is still kept
   * @throws io.jcontainerd.core.failure.OutOfRangeException if events after the number are no
   *     longer kept
   */
  EventStream subscribeAfter(long after, Predicate<Event> accepts);
}

package io.jcontainerd.core.events;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * The record of what happened: durable, and numbered without gaps. Whoever remembers the number of
 * the last event that it has dealt with misses nothing, however long it was away, or is told what
 * it has missed. Safe for many threads.
 */
public interface EventRecord {
  /** Where to begin. */
  sealed interface From {
    /**
     * With the first event after a number.
     *
     * @param number 0 is before the first event of all
     */
    record After(long number) implements From {}

    /** With the oldest event that is kept. */
    record Oldest() implements From {}

    /** With what comes from now on. */
    record Now() implements From {}
  }

  /** What a follower is told. */
  sealed interface Told {
    /**
     * The first thing: only events with larger numbers come.
     *
     * @param after that number
     */
    record Begun(long after) implements Told {}

    /** Something happened. */
    record Happened(Event.Numbered event) implements Told {}

    /**
     * Events that happened and are no longer kept; some of them may have been wanted.
     *
     * @param first the first of them
     * @param last the last of them
     */
    record Gap(long first, long last) implements Told {}

    /**
     * Every event up to a number was shown, or not wanted. Told now and then while nothing wanted
     * happens.
     *
     * @param after where to begin the next time
     */
    record Position(long after) implements Told {}
  }

  /** What is told, in order. For one thread. */
  interface Following extends AutoCloseable {
    /**
     * The next thing.
     *
     * @return empty if nothing came in time
     * @throws io.jcontainerd.core.failure.UnavailableException if the record was closed
     */
    Optional<Told> next(Duration timeout) throws InterruptedException;

    @Override
    void close();
  }

  /**
   * Follows the record.
   *
   * @param accepts tells which events are wanted
   * @throws io.jcontainerd.core.failure.OutOfRangeException if there never was an event of the
   *     number to begin after
   */
  Following follow(From from, Predicate<Event> accepts);
}

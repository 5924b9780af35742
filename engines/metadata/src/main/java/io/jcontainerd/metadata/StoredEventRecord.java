package io.jcontainerd.metadata;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord;
import io.jcontainerd.store.EventSubscription;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.StoredEvent;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.function.Predicate;

/** The store's numbered events, from any of them on. */
final class StoredEventRecord implements EventRecord {
  private final Store store;

  StoredEventRecord(Store store) {
    this.store = store;
  }

  @Override
  public Following follow(From from, Predicate<Event> accepts) {
    try {
      long after =
          switch (from) {
            case From.After(long number) -> number;
            case From.Oldest() -> store.eventsFloor();
            case From.Now() -> store.lastEvent();
          };
      return new Stream(accepts, after);
    } catch (StoreException e) {
      throw Database.failure(e);
    }
  }

  /**
   * One follower. Where the store has let go of what comes next, since the follower was away or is
   * slow, it is told so and goes on with the oldest that is kept.
   */
  private final class Stream implements Following {
    private final Predicate<Event> accepts;
    private final Queue<Told> waiting = new ArrayDeque<>();
    private EventSubscription subscription;
    private long position;
    private long told;

    Stream(Predicate<Event> accepts, long after) {
      this.accepts = accepts;
      waiting.add(new Told.Begun(after));
      position = after;
      subscription = open();
      told = position;
    }

    /** Goes on at the position, or behind what is no longer kept. */
    private EventSubscription open() {
      while (true) {
        try {
          return store.subscribeAfter(position);
        } catch (StoreException e) {
          long floor = store.eventsFloor();
          if (e.kind() != StoreException.Kind.EVENTS_LOST || floor <= position) {
            throw e;
          }
          waiting.add(new Told.Gap(position + 1, floor));
          position = floor;
        }
      }
    }

    @Override
    public Optional<Told> next(Duration timeout) throws InterruptedException {
      long end = System.nanoTime() + timeout.toNanos();
      try {
        while (waiting.isEmpty()) {
          Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
          Optional<StoredEvent> stored = left.isZero() ? Optional.empty() : taken(left);
          if (stored.isPresent()) {
            position = stored.get().number();
            offer(stored.get());
          } else if (waiting.isEmpty()) {
            return quiet();
          }
        }
        told = position;
        return Optional.of(waiting.remove());
      } catch (StoreException e) {
        throw Database.failure(e);
      }
    }

    private Optional<StoredEvent> taken(Duration limit) throws InterruptedException {
      try {
        return subscription.next(limit);
      } catch (StoreException e) {
        if (e.kind() != StoreException.Kind.EVENTS_LOST) {
          throw e;
        }
        subscription.close();
        subscription = open();
        return Optional.empty();
      }
    }

    private void offer(StoredEvent stored) {
      Event event =
          new Event(
              Times.instant(stored.at()),
              stored.namespace(),
              stored.topic(),
              new TypedValue(stored.type(), stored.payload()));
      if (accepts.test(event)) {
        waiting.add(new Told.Happened(new Event.Numbered(stored.number(), event)));
      }
    }

    /** Nothing came that is wanted; how far it is may be news all the same. */
    private Optional<Told> quiet() {
      if (position == told) {
        return Optional.empty();
      }
      told = position;
      return Optional.of(new Told.Position(position));
    }

    @Override
    public void close() {
      subscription.close();
    }
  }
}

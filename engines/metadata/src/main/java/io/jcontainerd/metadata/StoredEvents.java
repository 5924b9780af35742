package io.jcontainerd.metadata;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventStream;
import io.jcontainerd.store.EventSubscription;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.StoredEvent;
import io.jcontainerd.store.WriteTransaction;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;

/** The store's numbered events. */
final class StoredEvents implements EventExchange {
  private static final int MOST_TELLERS = 4096;

  private final Store store;

  StoredEvents(Store store) {
    this.store = store;
  }

  @Override
  public long publish(Event event) {
    long at = Times.nanos(event.timestamp());
    try {
      return store.write(
          tx ->
              tx.event(
                  at,
                  event.namespace(),
                  event.topic(),
                  event.payload().typeUrl(),
                  event.payload().value()));
    } catch (StoreException e) {
      throw Database.failure(e);
    }
  }

  @Override
  public boolean publishOnce(Event.Origin origin, Event event) {
    long at = Times.nanos(event.timestamp());
    try {
      return store.write(
          tx -> {
            if (!isNew(tx, origin, at)) {
              return false;
            }
            tx.event(
                at,
                event.namespace(),
                event.topic(),
                event.payload().typeUrl(),
                event.payload().value());
            return true;
          });
    } catch (StoreException e) {
      throw Database.failure(e);
    }
  }

  /** Notes it, unless it or a later one was noted before. */
  private static boolean isNew(WriteTransaction tx, Event.Origin origin, long at) {
    int known =
        tx.update(
            "UPDATE event_origins SET sequence = ?, told_at = ? WHERE teller = ? AND sequence < ?",
            origin.sequence(),
            at,
            origin.teller(),
            origin.sequence());
    if (known > 0) {
      return true;
    }
    int added =
        tx.update(
            "INSERT INTO event_origins(teller, sequence, told_at) VALUES (?, ?, ?)"
                + " ON CONFLICT DO NOTHING",
            origin.teller(),
            origin.sequence(),
            at);
    if (added == 0) {
      return false;
    }
    tx.update( // of a teller that was silent while so many others came, nothing comes any more
        "DELETE FROM event_origins WHERE teller IN (SELECT teller FROM event_origins"
            + " ORDER BY told_at DESC LIMIT -1 OFFSET ?)",
        MOST_TELLERS);
    return true;
  }

  @Override
  public EventStream subscribe(Predicate<Event> accepts) {
    return new Stream(store.subscribe(), accepts);
  }

  @Override
  public EventStream subscribeAfter(long after, Predicate<Event> accepts) {
    try {
      return new Stream(store.subscribeAfter(after == 0 ? store.eventsFloor() : after), accepts);
    } catch (StoreException e) {
      throw Database.failure(e);
    }
  }

  private record Stream(EventSubscription subscription, Predicate<Event> accepts)
      implements EventStream {
    @Override
    public Optional<Event.Numbered> next(Duration timeout) throws InterruptedException {
      long end = System.nanoTime() + timeout.toNanos();
      try {
        while (true) {
          Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
          Optional<StoredEvent> stored = subscription.next(left);
          if (stored.isEmpty()) {
            return Optional.empty();
          }
          Event event = event(stored.get());
          if (accepts.test(event)) {
            return Optional.of(new Event.Numbered(stored.get().number(), event));
          }
        }
      } catch (StoreException e) {
        throw Database.failure(e);
      }
    }

    private static Event event(StoredEvent stored) {
      return new Event(
          Times.instant(stored.at()),
          stored.namespace(),
          stored.topic(),
          new TypedValue(stored.type(), stored.payload()));
    }

    @Override
    public void close() {
      subscription.close();
    }
  }
}

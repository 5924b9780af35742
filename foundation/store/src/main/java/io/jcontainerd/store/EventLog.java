package io.jcontainerd.store;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The numbered events: writing them on the writer's thread, telling them to subscribers, and
 * reading back what is kept.
 */
final class EventLog {
  static final Schema SCHEMA =
      new Schema(
          "events",
          List.of(
              Schema.Step.of(
                  "CREATE TABLE events(number INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
                      + " namespace TEXT NOT NULL, topic TEXT NOT NULL, type TEXT NOT NULL,"
                      + " payload BLOB NOT NULL)")));

  /** How many events may pile up beyond those kept before they are removed. */
  private static final long SLACK = 256;

  private final long kept;
  private final CopyOnWriteArrayList<EventSubscription> subscribers = new CopyOnWriteArrayList<>();
  private final List<StoredEvent> pending = new ArrayList<>(); // of the open transaction
  private long oldest; // first number that is still there; writer's thread
  private volatile long committed; // last number that is durable

  EventLog(Session session, long kept) {
    this.kept = kept;
    this.committed = session.number("SELECT max(number) FROM events");
    this.oldest = committed == 0 ? 1 : session.number("SELECT min(number) FROM events");
  }

  long committed() {
    return committed;
  }

  /** Where the open transaction stands, to come back to. */
  int mark() {
    return pending.size();
  }

  void forgetAfter(int mark) {
    pending.subList(mark, pending.size()).clear();
  }

  long append(
      Session session, long at, String namespace, String topic, String type, byte[] payload) {
    long number = committed + pending.size() + 1;
    session.update(
        "INSERT INTO events(number, at, namespace, topic, type, payload) VALUES (?, ?, ?, ?, ?, ?)",
        number,
        at,
        namespace,
        topic,
        type,
        payload);
    pending.add(new StoredEvent(number, at, namespace, topic, type, payload));
    return number;
  }

  /** Removes what is too old; part of the transaction that is about to be committed. */
  void prune(Session session) {
    long last = committed + pending.size();
    if (last - oldest >= kept + SLACK) {
      session.update("DELETE FROM events WHERE number <= ?", last - kept);
    }
  }

  /** Tells what has just become durable. */
  void tell() {
    if (pending.isEmpty()) {
      return;
    }
    long last = committed + pending.size();
    if (last - oldest >= kept + SLACK) {
      oldest = last - kept + 1;
    }
    long before = committed;
    committed = last;
    try {
      List<StoredEvent> told = List.copyOf(pending);
      for (EventSubscription subscriber : subscribers) {
        subscriber.offer(told);
      }
    } catch (RuntimeException | Error e) {
      for (EventSubscription subscriber : subscribers) {
        subscriber.miss(before); // none must believe that it knows all
      }
      throw e;
    } finally {
      pending.clear();
    }
  }

  EventSubscription subscribe(Store store, long after) {
    EventSubscription subscription = new EventSubscription(store, this, after);
    subscribers.add(subscription);
    return subscription;
  }

  void remove(EventSubscription subscription) {
    subscribers.remove(subscription);
  }

  int subscribers() {
    return subscribers.size();
  }

  int longestLag() {
    int longest = 0;
    for (EventSubscription subscriber : subscribers) {
      longest = Math.max(longest, subscriber.waiting());
    }
    return longest;
  }

  void close() {
    subscribers.forEach(EventSubscription::end);
  }
}

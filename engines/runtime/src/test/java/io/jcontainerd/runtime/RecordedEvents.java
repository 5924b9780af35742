package io.jcontainerd.runtime;

import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventStream;
import io.jcontainerd.core.failure.OutOfRangeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/** An exchange that keeps all events, so that a test can wait for them and count them. */
final class RecordedEvents implements EventExchange {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition more = lock.newCondition();
  private final List<Event> events = new ArrayList<>();
  private boolean breaking;
  private int seen;

  @Override
  public long publish(Event event) {
    lock.lock();
    try {
      events.add(event);
      more.signalAll();
      return events.size();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean publishOnce(Event.Origin origin, Event event) {
    throw new UnsupportedOperationException("shims of tests tell no origin");
  }

  List<String> topics() {
    lock.lock();
    try {
      return events.stream().map(Event::topic).toList();
    } finally {
      lock.unlock();
    }
  }

  List<Event> all() {
    lock.lock();
    try {
      return List.copyOf(events);
    } finally {
      lock.unlock();
    }
  }

  /** Waits for the first event of a topic. */
  Event await(String topic) throws InterruptedException {
    long left = TimeUnit.SECONDS.toNanos(60);
    lock.lock();
    try {
      while (true) {
        Optional<Event> found = events.stream().filter(e -> e.topic().equals(topic)).findFirst();
        if (found.isPresent()) {
          return found.get();
        }
        if (left <= 0) {
          throw new AssertionError("no " + topic + " among " + topics());
        }
        left = more.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The stream of whoever asks next, or is asking, breaks once. */
  void breakStream() {
    lock.lock();
    try {
      breaking = true;
      more.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until a subscriber came back for more after all that was published before. */
  void awaitSeen() throws InterruptedException {
    long left = TimeUnit.SECONDS.toNanos(60);
    lock.lock();
    try {
      while (breaking || seen < events.size()) {
        if (left <= 0) {
          throw new AssertionError("seen " + seen + " of " + events.size());
        }
        left = more.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  @Override
  public EventStream subscribe(Predicate<Event> accepts) {
    return subscribeAfter(all().size(), accepts);
  }

  @Override
  public EventStream subscribeAfter(long after, Predicate<Event> accepts) {
    return new EventStream() {
      private int next = (int) after;

      @Override
      public Optional<Event.Numbered> next(Duration timeout) throws InterruptedException {
        long left = timeout.toNanos();
        lock.lockInterruptibly();
        try {
          while (true) {
            if (breaking) {
              breaking = false;
              seen = -1;
              throw new OutOfRangeException("subscriber is too slow");
            }
            while (next < events.size()) {
              Event event = events.get(next++);
              if (accepts.test(event)) {
                return Optional.of(new Event.Numbered(next, event));
              }
            }
            seen = next;
            more.signalAll();
            if (left <= 0) {
              return Optional.empty();
            }
            left = more.awaitNanos(left);
          }
        } finally {
          lock.unlock();
        }
      }

      @Override
      public void close() {}
    };
  }
}

package io.jcontainerd.services;

import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventStream;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/** An exchange that remembers what was published and counts its subscribers. */
final class MemoryExchange implements EventExchange {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final List<Event> published = new CopyOnWriteArrayList<>();
  final List<Stream> subscribers = new CopyOnWriteArrayList<>();
  private final Map<String, Long> origins = new HashMap<>();
  private final AtomicLong numbers = new AtomicLong();

  @Override
  public synchronized long publish(Event event) {
    published.add(event);
    long number = numbers.incrementAndGet();
    for (Stream stream : subscribers) {
      if (stream.accepts.test(event)) {
        stream.queue.add(new Event.Numbered(number, event));
      }
    }
    return number;
  }

  @Override
  public synchronized boolean publishOnce(Event.Origin origin, Event event) {
    Long last = origins.get(origin.teller());
    if (last != null && last >= origin.sequence()) {
      return false;
    }
    origins.put(origin.teller(), origin.sequence());
    publish(event);
    return true;
  }

  @Override
  public EventStream subscribe(Predicate<Event> accepts) {
    Stream stream = new Stream(accepts);
    synchronized (subscribers) {
      subscribers.add(stream);
      subscribers.notifyAll();
    }
    return stream;
  }

  @Override
  public EventStream subscribeAfter(long after, Predicate<Event> accepts) {
    throw new UnsupportedOperationException("not asked for by containerd's API");
  }

  final class Stream implements EventStream {
    private final Predicate<Event> accepts;
    private final LinkedBlockingQueue<Event.Numbered> queue = new LinkedBlockingQueue<>();

    Stream(Predicate<Event> accepts) {
      this.accepts = accepts;
    }

    @Override
    public Optional<Event.Numbered> next(Duration timeout) throws InterruptedException {
      return Optional.ofNullable(queue.poll(timeout.toMillis(), TimeUnit.MILLISECONDS));
    }

    @Override
    public void close() {
      synchronized (subscribers) {
        subscribers.remove(this);
        subscribers.notifyAll();
      }
    }
  }

  /** Waits until somebody listens. */
  void awaitSubscriber() throws InterruptedException {
    await("somebody listens", () -> !subscribers.isEmpty());
  }

  /** Waits until nobody listens any more. */
  void awaitNoSubscribers() throws InterruptedException {
    await("nobody listens any more", subscribers::isEmpty);
  }

  private void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    synchronized (subscribers) {
      while (!condition.getAsBoolean()) {
        long left = Duration.ofNanos(end - System.nanoTime()).toMillis();
        if (left <= 0) {
          throw new AssertionError("not within " + PATIENCE + ": " + what);
        }
        subscribers.wait(left);
      }
    }
  }
}

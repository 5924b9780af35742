package io.jcontainerd.store;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One subscriber's view of the events, in order and without gaps. It first reads what was recorded,
 * then takes what the writer hands over after each commit. What is not taken waits in memory
 * without a limit; {@link #waiting} tells how much.
 *
 * <p>{@link #next} is for one thread; the rest is safe for many. The lock guards the queue and the
 * end mark, and nothing runs under it but moving events.
 */
public final class EventSubscription implements AutoCloseable {
  private static final int BATCH = 256;

  private final Store store;
  private final EventLog log;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<StoredEvent> live = new ArrayDeque<>();
  private boolean ended;

  private final Queue<StoredEvent> recorded = new ArrayDeque<>();
  private boolean readingRecord;
  private long taken;

  /**
   * @param after the last event already known; negative for only those to come
   */
  EventSubscription(Store store, EventLog log, long after) {
    this.store = store;
    this.log = log;
    this.readingRecord = after >= 0;
    this.taken = Math.max(after, 0);
  }

  void offer(List<StoredEvent> events) {
    lock.lock();
    try {
      if (!ended) {
        live.addAll(events);
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  void end() {
    lock.lock();
    try {
      ended = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** How many events wait in memory to be taken. */
  public int waiting() {
    lock.lock();
    try {
      return live.size();
    } finally {
      lock.unlock();
    }
  }

  /**
   * The next event.
   *
   * @param timeout the longest wait
   * @return empty if none came in time
   * @throws StoreException of kind {@code EVENTS_LOST} if the next event is no longer kept, {@code
   *     CLOSED} if the subscription or the store was closed and nothing is left to take
   */
  public Optional<StoredEvent> next(Duration timeout) throws InterruptedException {
    if (readingRecord) {
      if (recorded.isEmpty()) {
        readBatch();
      }
      StoredEvent event = recorded.poll();
      if (event != null) {
        taken = event.number();
        return Optional.of(event);
      }
      readingRecord = false;
    }
    return nextLive(timeout);
  }

  private Optional<StoredEvent> nextLive(Duration timeout) throws InterruptedException {
    long left = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (true) {
        StoredEvent event = live.poll();
        if (event != null) {
          if (event.number() > taken) { // else it was read from the record
            taken = event.number();
            return Optional.of(event);
          }
          continue;
        }
        if (ended) {
          throw new StoreException(StoreException.Kind.CLOSED, "event subscription was closed");
        }
        if (left <= 0) {
          return Optional.empty();
        }
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  private void readBatch() {
    recorded.addAll(store.eventsAfter(taken, BATCH));
  }

  /** Stops listening; what waits is dropped. Harmless when repeated. */
  @Override
  public void close() {
    log.remove(this);
    lock.lock();
    try {
      ended = true;
      live.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}

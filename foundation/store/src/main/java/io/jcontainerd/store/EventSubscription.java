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
 * then takes what the writer hands over after each commit. What is not taken waits in memory up to
 * a limit; a reader that is slower is led back to the record, where every event is.
 *
 * <p>{@link #next} is for one thread; the rest is safe for many. The lock guards the queue and the
 * end mark, and nothing runs under it but moving events.
 */
public final class EventSubscription implements AutoCloseable {
  private static final int BATCH = 256;

  /** So many events wait in memory at most. */
  static final int MOST_WAITING = 4096;

  private final Store store;
  private final EventLog log;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Queue<StoredEvent> live = new ArrayDeque<>();
  private boolean ended;
  private boolean behind; // what follows resumeAfter is in the record only
  private long resumeAfter;

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
      if (ended || behind) {
        return;
      }
      live.addAll(events);
      StoredEvent first = live.peek();
      if (first != null && live.size() > MOST_WAITING) {
        behind = true;
        resumeAfter = first.number() - 1;
        live.clear();
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Events after that one may not have come here, but they are all in the record. */
  void miss(long after) {
    lock.lock();
    try {
      if (ended || behind) {
        return;
      }
      StoredEvent first = live.peek();
      behind = true;
      resumeAfter = first == null ? after : Math.min(after, first.number() - 1);
      live.clear();
      changed.signal();
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
    while (true) {
      returnToRecord();
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
      Optional<StoredEvent> event = nextLive(timeout);
      if (event.isPresent() || !isBehind()) {
        return event;
      }
    }
  }

  private boolean isBehind() {
    lock.lock();
    try {
      return behind;
    } finally {
      lock.unlock();
    }
  }

  /** From now on events wait in memory again; those before are all in the record. */
  private void returnToRecord() {
    lock.lock();
    try {
      if (behind) {
        behind = false;
        taken = Math.max(taken, resumeAfter);
        readingRecord = true;
      }
    } finally {
      lock.unlock();
    }
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
        if (left <= 0 || behind) {
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

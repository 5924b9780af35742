package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.gc.GarbageCollector;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Decides when to collect, and does it on a thread of its own.
 *
 * <p>Runs are spaced so that writers are held up for no more than the allowed part of the time:
 * from the mean hold-up, at least 5 ms, follows the shortest interval between runs, which is the
 * first one's where that part is not bounded, but it also rests for many times as long as a run
 * took, since it is not alone on the machine. A run takes place when something was deleted, when
 * enough was changed, or at once when somebody waits for one; what could not be removed is tried
 * again after a delay that grows. What leases and labels keep until a time is looked at again at
 * that time, and a change that is no reason by itself is one after a rest. Nothing happens while
 * there is nothing to do.
 *
 * <p>{@code lock} guards the reasons and the waiters; no run happens under it.
 */
final class Scheduler implements GarbageCollector, AutoCloseable {
  /** It rests for so many times as long as it worked. */
  private static final long REST_PER_WORK = 10;

  private static final long LONGEST_REST = Duration.ofMinutes(1).toNanos();

  private static final System.Logger LOG = System.getLogger(Scheduler.class.getName());
  private static final Duration FIRST_INTERVAL = Duration.ofSeconds(1);
  private static final Duration AFTER_FAILURE = Duration.ofSeconds(1);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);
  private static final long LEAST_HELD_NANOS = 5_000_000;
  private static final long FIRST_RETRY = Duration.ofSeconds(1).toNanos();
  private static final long LAST_RETRY = Duration.ofMinutes(10).toNanos();
  private static final long NEVER = Long.MAX_VALUE;

  /** Things that end shortly after each other are collected together. */
  private static final Duration GRACE = Duration.ofSeconds(1);

  /** So long, at most, a change of the machine's clock goes unnoticed. */
  private static final Duration LONGEST_SLEEP = Duration.ofMinutes(15);

  private final GcOptions options;
  private final Collection collection;
  private final Time time;
  private final OperationRegistry operations;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition reason = lock.newCondition();
  private final Condition finished = lock.newCondition();
  private final long origin = System.nanoTime();
  private int deletions;
  private int mutations;
  private List<Waiter> waiters = new ArrayList<>();
  private long earliest; // when the interval since the last run is over; nanoseconds since origin
  private long due = NEVER; // when a run is wanted at the latest
  private long intervalNanos = FIRST_INTERVAL.toNanos();
  private long retryNanos; // until what could not be removed is tried again
  private @Nullable Instant alarm; // when more can be removed although nothing was changed
  private boolean closing;

  private double meanHeldNanos;
  private GcStats stats = new GcStats(0, 0, Duration.ZERO, Duration.ZERO, Duration.ZERO);

  /** Somebody who waits for a run that began after he came. */
  private static final class Waiter {
    boolean done;
    Duration held = Duration.ZERO;
    @Nullable RuntimeException failure;
  }

  Scheduler(GcOptions options, Collection collection, Time time, OperationRegistry operations) {
    this.operations = operations;
    this.options = options;
    this.collection = collection;
    this.time = time;
    this.thread = Thread.ofPlatform().name("gc").daemon(true).unstarted(this::serve);
    this.earliest = intervalNanos;
    if (options.startupDelay().isPositive()) {
      due = options.startupDelay().toNanos();
    }
  }

  void start() {
    thread.start();
  }

  GcStats stats() {
    lock.lock();
    try {
      return stats;
    } finally {
      lock.unlock();
    }
  }

  private long now() {
    return System.nanoTime() - origin;
  }

  /** Counts a change. */
  void changed(boolean deletion) {
    lock.lock();
    try {
      if (deletion) {
        deletions++;
      } else {
        mutations++;
      }
      boolean many = options.deletionThreshold() > 0 && deletions >= options.deletionThreshold();
      if (many && deletion) {
        want(now() + options.scheduleDelay().toNanos());
      } else if (deletions > 0 || mutations >= Math.max(1, options.mutationThreshold())) {
        want(Math.max(now(), earliest));
      } else {
        want(Math.max(now() + options.rest().toNanos(), earliest));
      }
    } finally {
      lock.unlock();
    }
  }

  /** Something is to be removed that no change tells of. */
  void wake() {
    lock.lock();
    try {
      want(Math.max(now(), earliest));
    } finally {
      lock.unlock();
    }
  }

  private void want(long at) {
    if (at < due) {
      due = at;
      reason.signal();
    }
  }

  @Override
  public Duration collect() {
    Waiter waiter = new Waiter();
    lock.lock();
    try {
      if (closing) {
        throw closed();
      }
      waiters.add(waiter);
      want(now() + options.scheduleDelay().toNanos());
      long left = LONGEST_WAIT.toNanos();
      while (!waiter.done) {
        if (left <= 0) {
          waiters.remove(waiter);
          throw new DeadlineExceededException(
              "garbage collection did not finish in " + LONGEST_WAIT.toMinutes() + " min");
        }
        left = finished.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      waiters.remove(waiter);
      throw new CancelledException("interrupted while waiting for garbage collection", e);
    } finally {
      lock.unlock();
    }
    if (waiter.failure != null) {
      throw waiter.failure;
    }
    return waiter.held;
  }

  private static UnavailableException closed() {
    return new UnavailableException("garbage collector is closed");
  }

  // ---- the collector's thread ----

  private void lookAgainAt(Instant next) {
    lock.lock();
    try {
      alarm = next;
    } finally {
      lock.unlock();
    }
  }

  /** Nanoseconds until a run is due; {@link #NEVER} if none is. */
  private long left() {
    long byReason = due == NEVER ? NEVER : due - now();
    Instant ends = alarm;
    if (ends == null) {
      return byReason;
    }
    Duration untilEnd = Duration.between(time.now(), ends);
    long byTime =
        untilEnd.compareTo(LONGEST_SLEEP) > 0
            ? LONGEST_SLEEP.plus(GRACE).toNanos()
            : untilEnd.plus(GRACE).toNanos();
    return Math.min(byReason, Math.max(byTime, earliest - now()));
  }

  private void serve() {
    while (true) {
      List<Waiter> served = nextRun();
      if (closing) {
        finish(served, Duration.ZERO, closed());
        return;
      }
      long began = System.nanoTime();
      try {
        Collection.Outcome outcome = collect(served.size());
        account(true, System.nanoTime() - began, outcome.held(), outcome.left());
        outcome.next().ifPresent(this::lookAgainAt);
        finish(served, outcome.held(), null);
      } catch (RuntimeException | Error e) {
        // Whatever it was, memory too, may be over: without this thread nothing is ever removed.
        account(false, System.nanoTime() - began, Duration.ZERO, false);
        finish(served, Duration.ZERO, new InternalException("gc failed: " + e.getMessage(), e));
        LOG.log(System.Logger.Level.ERROR, "garbage collection failed", e);
      }
    }
  }

  private Collection.Outcome collect(int waiters) {
    RunningOperation operation = operations.begin("gc", "", "");
    try (operation) {
      operation.joined(waiters - 1);
      return operation.call(collection::run);
    } catch (RuntimeException | Error e) {
      operation.failed(e);
      throw e;
    }
  }

  /** Waits until a run is due and takes its reasons. */
  private List<Waiter> nextRun() {
    lock.lock();
    try {
      while (!closing) {
        long left = left();
        if (left <= 0) {
          break;
        }
        if (left == NEVER) {
          reason.awaitUninterruptibly();
        } else {
          reason.awaitNanos(Math.min(left, LONGEST_SLEEP.toNanos()));
        }
      }
      List<Waiter> served = waiters;
      waiters = new ArrayList<>();
      deletions = 0;
      mutations = 0;
      due = NEVER;
      alarm = null;
      return served;
    } catch (InterruptedException e) {
      throw new AssertionError("nobody interrupts the collector", e);
    } finally {
      lock.unlock();
    }
  }

  private void account(boolean succeeded, long nanos, Duration held, boolean left) {
    lock.lock();
    try {
      long runs = stats.succeeded() + (succeeded ? 1 : 0);
      stats =
          new GcStats(
              runs,
              stats.failed() + (succeeded ? 0 : 1),
              Duration.ofNanos(nanos),
              held,
              succeeded ? stats.total().plusNanos(nanos) : stats.total());
      if (succeeded) {
        long counted = Math.max(held.toNanos(), LEAST_HELD_NANOS);
        meanHeldNanos += (counted - meanHeldNanos) / runs;
        if (options.pauseThreshold() > 0) {
          long byPause = (long) (meanHeldNanos / options.pauseThreshold() - meanHeldNanos);
          intervalNanos = Math.max(byPause, Math.min(nanos * REST_PER_WORK, LONGEST_REST));
        }
        earliest = now() + intervalNanos;
        boolean wanted = deletions > 0 || mutations >= Math.max(1, options.mutationThreshold());
        if (wanted && waiters.isEmpty()) {
          due = earliest; // what came during the run
        }
        retryNanos = left ? Math.clamp(2 * retryNanos, FIRST_RETRY, LAST_RETRY) : 0;
        if (left) {
          want(Math.max(earliest, now() + retryNanos));
        }
      } else {
        earliest = now() + intervalNanos + AFTER_FAILURE.toNanos();
        want(earliest);
      }
    } finally {
      lock.unlock();
    }
  }

  private void finish(List<Waiter> served, Duration held, @Nullable RuntimeException failure) {
    lock.lock();
    try {
      for (Waiter waiter : served) {
        waiter.done = true;
        waiter.held = held;
        waiter.failure = failure;
      }
      finished.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Ends the thread after the run it is in; those that wait are told. */
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      reason.signal();
    } finally {
      lock.unlock();
    }
    try {
      if (thread.isAlive() && !thread.join(LONGEST_WAIT)) {
        throw new DeadlineExceededException("garbage collection did not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("interrupted while closing the garbage collector", e);
    }
  }
}

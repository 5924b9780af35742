package io.jcontainerd.shim;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whose turn it is to run a command of an OCI runtime. A command works the processor nearly all of
 * its time, so that of sixty-four begun at once each ends when all do; begun one after another they
 * end evenly spread, the last one no later. What ends soonest and frees most goes first: signals,
 * then starts, deletes, execs and creates.
 *
 * <p>Each command is put off behind the more urgent ones that come within a time of its kind, and
 * not behind later ones, so that none waits for ever. A command that takes long, because its hook
 * hangs or the kernel does, keeps nobody waiting: after {@link #PATIENCE} it no longer counts.
 *
 * <p>Safe for many threads. The lock guards the queue and the counted commands and is never held
 * while a command runs.
 */
final class RuntimeTurns {
  /** How long a command counts. */
  static final Duration PATIENCE = Duration.ofMillis(500);

  /** As often a waiter looks whether those who count have become slow. */
  private static final long LOOK_MILLIS = 50;

  /** Commands also wait for the kernel, not only for a processor. */
  private static final int EACH_PROCESSOR = 2;

  private static final Comparator<Waiter> ORDER =
      Comparator.comparingLong((Waiter waiter) -> waiter.due).thenComparingLong(w -> w.number);

  private final int most;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Queue<Waiter> waiting = new PriorityQueue<>(ORDER);
  private final List<Turn> counted = new ArrayList<>();
  private long arrivals;

  RuntimeTurns() {
    this(
        EACH_PROCESSOR * Math.max(2, Runtime.getRuntime().availableProcessors()), System::nanoTime);
  }

  /**
   * @param most how many commands run at once, not counting slow ones
   * @param nanos the clock
   */
  RuntimeTurns(int most, LongSupplier nanos) {
    this.most = most;
    this.nanos = nanos;
  }

  private static final class Waiter {
    private final long due;
    private final long number;
    private final Condition granted;
    private @Nullable Turn turn;

    Waiter(long due, long number, Condition granted) {
      this.due = due;
      this.number = number;
      this.granted = granted;
    }
  }

  /** A command that runs; ends when it is closed. */
  final class Turn implements AutoCloseable {
    private final long begun;

    private Turn(long begun) {
      this.begun = begun;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        counted.remove(this);
        grant();
      } finally {
        lock.unlock();
      }
    }
  }

  /**
   * Waits until it is the command's turn.
   *
   * @param command the runtime's word for it
   */
  Turn take(String command) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long due = nanos.getAsLong() + putOff(command).toNanos();
      Waiter waiter = new Waiter(due, arrivals++, lock.newCondition());
      waiting.add(waiter);
      grant();
      return await(waiter);
    } finally {
      lock.unlock();
    }
  }

  private Turn await(Waiter waiter) throws InterruptedException {
    while (true) {
      Turn turn = waiter.turn;
      if (turn != null) {
        return turn;
      }
      try {
        if (!waiter.granted.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          grant();
        }
      } catch (InterruptedException e) {
        waiting.remove(waiter);
        Turn late = waiter.turn;
        if (late != null) { // granted in the same moment
          late.close();
        }
        throw e;
      }
    }
  }

  /** Gives turns to those who are due first, as far as there are places. */
  private void grant() {
    long now = nanos.getAsLong();
    counted.removeIf(turn -> now - turn.begun >= PATIENCE.toNanos());
    while (counted.size() < most && !waiting.isEmpty()) {
      Waiter first = waiting.remove();
      Turn turn = new Turn(now);
      counted.add(turn);
      first.turn = turn;
      first.granted.signal();
    }
  }

  /** Behind what comes within this time a command lets others go first. */
  private static Duration putOff(String command) {
    return switch (command) {
      case "start" -> Duration.ofMillis(200);
      case "delete" -> Duration.ofMillis(500);
      case "exec" -> Duration.ofSeconds(1);
      case "create", "restore" -> Duration.ofSeconds(2);
      default -> Duration.ZERO;
    };
  }

  /** How many wait. */
  int waiting() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }
}

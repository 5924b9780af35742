package io.jcontainerd.store;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that writes. It takes what waits, runs each body inside a savepoint of one
 * transaction, commits once, tells the events and wakes the callers.
 *
 * <p>When a body fails by its own doing, only its savepoint is undone. When the whole transaction
 * is lost - the disk is full, or the commit failed - the members of the group are done again, each
 * in a transaction of its own, so that one caller's oversized change does not fail the others.
 * Hence bodies may run more than once.
 *
 * <p>{@code lock} guards the queue and the state of its members; no body and no SQL runs under it.
 */
final class Writer {
  private final Session session;
  private final EventLog events;
  private final Reserve reserve;
  private final StoreOptions options;
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Condition room = lock.newCondition();
  private final ArrayDeque<Change<?>> queue = new ArrayDeque<>();
  private boolean closing;

  private final List<Change<?>> group; // the one being written; writer's thread
  private @Nullable Throwable unlogged; // writer's thread

  private final AtomicLong commits = new AtomicLong();
  private final AtomicLong writes = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final AtomicLong lastCommitNanos = new AtomicLong();
  private final AtomicLong longestCommitNanos = new AtomicLong();
  private final AtomicLong totalCommitNanos = new AtomicLong();
  private final AtomicLong longestHoldNanos = new AtomicLong();

  Writer(Session session, EventLog events, Reserve reserve, StoreOptions options) {
    this.session = session;
    this.events = events;
    this.reserve = reserve;
    this.options = options;
    this.group = new ArrayList<>(options.groupLimit());
    this.thread = Thread.ofPlatform().name("store-writer").daemon(true).unstarted(this::serve);
  }

  void start() {
    thread.start();
  }

  /** One caller's change and what came of it. The state is guarded by the writer's lock. */
  private static final class Change<T> {
    private enum State {
      WAITING,
      RUNNING,
      DONE
    }

    final Store.Write<T> body;
    final boolean frees;
    final long since = System.nanoTime();
    final Condition done;
    State state = State.WAITING;
    @Nullable T result;
    @Nullable Throwable failure;
    boolean decided; // whether result or failure will stay; writer's thread

    Change(Store.Write<T> body, boolean frees, Condition done) {
      this.body = body;
      this.frees = frees;
      this.done = done;
    }

    void run(WriteTransaction transaction) {
      result = body.in(transaction);
      failure = null;
    }

    void decide(StoreException reason) {
      failure = reason;
      decided = true;
    }
  }

  // ---- callers ----

  <T> T write(Store.Write<T> body, boolean frees) {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException("a write inside a write");
    }
    Change<T> change;
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    try {
      change = new Change<>(body, frees, lock.newCondition());
      enqueue(change);
      await(change);
    } finally {
      lock.unlock();
    }
    return outcome(change);
  }

  private void enqueue(Change<?> change) {
    long left = options.maxWait().toNanos();
    try {
      while (queue.size() >= options.queueLimit() && !closing) {
        if (left <= 0) {
          throw new StoreException(
              StoreException.Kind.BUSY,
              "store: %d changes are waiting, the oldest for %d ms"
                  .formatted(queue.size(), ageNanos() / 1_000_000));
        }
        left = room.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    if (closing) {
      throw closed();
    }
    queue.add(change);
    arrived.signal();
  }

  private void await(Change<?> change) {
    long left = options.maxWait().toNanos();
    boolean interrupted = false;
    try {
      while (change.state != Change.State.DONE) {
        try {
          if (change.state == Change.State.WAITING && left <= 0) {
            give(change);
            throw new StoreException(
                StoreException.Kind.BUSY,
                "store: a change waited %d ms without being begun"
                    .formatted(options.maxWait().toMillis()));
          }
          if (change.state == Change.State.WAITING) {
            left = change.done.awaitNanos(left);
          } else {
            // It has begun: its outcome is as near as the disk allows, and must be known.
            change.done.await();
          }
        } catch (InterruptedException e) {
          if (change.state == Change.State.WAITING) {
            give(change);
            throw interrupted(e);
          }
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void give(Change<?> change) {
    queue.remove(change);
    room.signal();
  }

  @SuppressWarnings("NullAway") // a change without failure has the result that its body returned
  private static <T> T outcome(Change<T> change) {
    return switch (change.failure) {
      case null -> change.result;
      case StoreException e -> throw copy(e);
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new AssertionError("a body throws unchecked only", e);
    };
  }

  /** Each caller gets its own, since several may share one cause. */
  private static StoreException copy(StoreException e) {
    return new StoreException(e.kind(), e.getMessage(), e);
  }

  private static StoreException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new StoreException(
        StoreException.Kind.INTERRUPTED, "store: interrupted while waiting to write", e);
  }

  static StoreException closed() {
    return new StoreException(StoreException.Kind.CLOSED, "store is closed");
  }

  /** Finishes what waits, takes nothing more, and waits for the thread's end. */
  void close(Duration timeout) throws InterruptedException {
    lock.lock();
    try {
      closing = true;
      arrived.signalAll();
      room.signalAll();
    } finally {
      lock.unlock();
    }
    if (!thread.join(timeout)) {
      throw new StoreException(
          StoreException.Kind.BUSY,
          "store: changes did not finish in " + timeout.toSeconds() + " s");
    }
  }

  // ---- observers ----

  int depth() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }

  Duration age() {
    lock.lock();
    try {
      return Duration.ofNanos(ageNanos());
    } finally {
      lock.unlock();
    }
  }

  private long ageNanos() {
    Change<?> oldest = queue.peek();
    return oldest == null ? 0 : System.nanoTime() - oldest.since;
  }

  long commits() {
    return commits.get();
  }

  long writes() {
    return writes.get();
  }

  long failed() {
    return failed.get();
  }

  Duration lastCommit() {
    return Duration.ofNanos(lastCommitNanos.get());
  }

  Duration longestCommit() {
    return Duration.ofNanos(longestCommitNanos.get());
  }

  Duration totalCommit() {
    return Duration.ofNanos(totalCommitNanos.get());
  }

  Duration longestHold() {
    return Duration.ofNanos(longestHoldNanos.get());
  }

  // ---- the writer's thread ----

  /**
   * Nothing may end this thread while the store is open, not even a lack of memory: without it
   * every write waits in vain. So all of the loop is tried, and what must go right - taking a group
   * and telling its members - allocates nothing.
   */
  private void serve() {
    while (takeGroup()) {
      Throwable failure = null;
      try {
        commitGroup();
      } catch (RuntimeException | Error e) {
        failure = e;
      } finally {
        finish(group, failure);
      }
      try {
        if (failure != null) {
          abandonTransaction();
          log(System.Logger.Level.ERROR, "store writer failed", failure);
        }
        reserve.refill();
      } catch (RuntimeException | Error e) {
        unlogged = e;
      }
      logLate();
    }
  }

  /** Tells of a failure that could not be told when it came, as soon as that succeeds. */
  private void logLate() {
    Throwable late = unlogged;
    if (late == null) {
      return;
    }
    try {
      log(System.Logger.Level.ERROR, "store writer failed", late);
      unlogged = null;
    } catch (RuntimeException | Error e) {
      unlogged = e;
    }
  }

  /**
   * Waits for changes and takes them.
   *
   * @return false when closed and drained
   */
  private boolean takeGroup() {
    lock.lock();
    try {
      group.clear();
      while (queue.isEmpty()) {
        if (closing) {
          return false;
        }
        arrived.awaitUninterruptibly();
      }
      while (!queue.isEmpty() && group.size() < options.groupLimit()) {
        Change<?> change = queue.remove();
        change.state = Change.State.RUNNING;
        group.add(change);
      }
      room.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Tells the members, but those that were told before.
   *
   * @param failure what became of those whose outcome is not known
   */
  private void finish(List<Change<?>> members, @Nullable Throwable failure) {
    lock.lock();
    try {
      for (int i = 0; i < members.size(); i++) {
        finish(members.get(i), failure);
      }
    } finally {
      lock.unlock();
    }
  }

  private void finish(Change<?> change, @Nullable Throwable failure) {
    if (change.state == Change.State.DONE) {
      return;
    }
    if (failure != null && !change.decided) {
      change.failure = failure;
    }
    change.state = Change.State.DONE;
    change.done.signalAll();
    if (change.failure == null) {
      writes.incrementAndGet();
    } else {
      failed.incrementAndGet();
    }
  }

  private void commitGroup() {
    Lost lost = tryCommit(group);
    if (lost == null) {
      return;
    }
    if (!lost.begun()) {
      failAll(group, lost.reason());
      return;
    }
    if (group.size() == 1) {
      retryAlone(group.getFirst(), lost.reason());
      return;
    }
    for (int i = 0; i < group.size(); i++) {
      List<Change<?>> alone = List.of(group.get(i));
      Lost lostAlone = tryCommit(alone);
      if (lostAlone != null && !lostAlone.begun()) {
        failAll(group.subList(i, group.size()), lostAlone.reason());
        return;
      }
      if (lostAlone != null) {
        retryAlone(group.get(i), lostAlone.reason());
      }
      finish(alone, null); // the others may take long
    }
  }

  /** Without a transaction, trying one after the other would only take longer. */
  private static void failAll(List<Change<?>> members, StoreException reason) {
    for (Change<?> change : members) {
      change.decide(reason);
    }
  }

  /** Gives what frees space as much of the reserve as it needs; fails everything else. */
  private void retryAlone(Change<?> change, StoreException lost) {
    StoreException reason = lost;
    while (reason.kind() == StoreException.Kind.FULL && change.frees && releaseReserve(reason)) {
      Lost again = tryCommit(List.of(change));
      if (again == null) {
        return;
      }
      reason = again.reason();
    }
    change.decide(reason);
  }

  private boolean releaseReserve(StoreException lost) {
    try {
      return reserve.release();
    } catch (IOException e) {
      lost.addSuppressed(e);
      return false;
    }
  }

  /**
   * A transaction that is lost as a whole.
   *
   * @param begun whether there was any, so that a change may be what it failed of
   */
  private record Lost(StoreException reason, boolean begun) {}

  /**
   * Runs and commits the changes together.
   *
   * @return why the whole transaction was lost; null if it was committed
   */
  private @Nullable Lost tryCommit(List<Change<?>> members) {
    try {
      session.command("BEGIN IMMEDIATE");
    } catch (StoreException e) {
      abandonTransaction();
      return new Lost(e, e.kind() == StoreException.Kind.FULL);
    }
    try {
      boolean changed = false;
      for (Change<?> change : members) {
        changed |= runInSavepoint(change);
      }
      if (!changed) {
        session.command("ROLLBACK");
        for (Change<?> change : members) {
          change.decided = true;
        }
        return null;
      }
      events.prune(session);
      long began = System.nanoTime();
      session.command("COMMIT");
      for (Change<?> change : members) {
        change.decided = true; // whatever fails from here on
      }
      account(System.nanoTime() - began);
      events.tell();
      return null;
    } catch (StoreException e) {
      abandonTransaction();
      return new Lost(e, true);
    }
  }

  /**
   * Runs one change.
   *
   * @return whether it stands
   * @throws StoreException if the whole transaction is lost
   */
  private boolean runInSavepoint(Change<?> change) {
    int mark = events.mark();
    session.command("SAVEPOINT change");
    long began = System.nanoTime();
    try {
      change.run(new Transaction());
    } catch (StoreException e) {
      if (Failures.endsTransaction(e)) {
        throw e;
      }
      undo(change, mark, e);
      return false;
    } catch (RuntimeException | Error e) {
      undo(change, mark, e);
      return false;
    } finally {
      longestHoldNanos.accumulateAndGet(System.nanoTime() - began, Math::max);
    }
    session.command("RELEASE change");
    return true;
  }

  private void undo(Change<?> change, int mark, Throwable failure) {
    change.failure = failure;
    events.forgetAfter(mark);
    session.command("ROLLBACK TO change");
    session.command("RELEASE change");
  }

  private void abandonTransaction() {
    events.forgetAfter(0);
    try {
      session.command("ROLLBACK");
    } catch (StoreException e) {
      // SQLite rolls back by itself on some failures, and then says that there is no transaction.
      log(System.Logger.Level.DEBUG, "rollback after a lost transaction", e);
    }
  }

  /** Loggers are slow to make and here seldom needed. */
  private static void log(System.Logger.Level level, String message, Throwable failure) {
    System.getLogger(Writer.class.getName()).log(level, message, failure);
  }

  private void account(long nanos) {
    commits.incrementAndGet();
    lastCommitNanos.set(nanos);
    totalCommitNanos.addAndGet(nanos);
    longestCommitNanos.accumulateAndGet(nanos, Math::max);
  }

  /** What a body sees; ends with it. */
  private final class Transaction implements WriteTransaction {
    @Override
    public int update(String sql, @Nullable Object... arguments) {
      return session.update(sql, arguments);
    }

    @Override
    public long event(long at, String namespace, String topic, String type, byte[] payload) {
      return events.append(session, at, namespace, topic, type, payload);
    }

    @Override
    public <T> List<T> all(String sql, Row.Mapper<T> mapper, @Nullable Object... arguments) {
      return session.all(sql, mapper, arguments);
    }

    @Override
    public <T> Optional<T> first(String sql, Row.Mapper<T> mapper, @Nullable Object... arguments) {
      return session.first(sql, mapper, arguments);
    }

    @Override
    public void each(String sql, Consumer<Row> each, @Nullable Object... arguments) {
      session.each(sql, each, arguments);
    }
  }
}

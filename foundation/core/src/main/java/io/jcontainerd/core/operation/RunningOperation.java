package io.jcontainerd.core.operation;

import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An operation, as whoever does it tells of it. Telling costs a few writes to memory and waits for
 * nobody. Closed when it is over; one that was not told to have {@link #failed} has succeeded.
 *
 * <p>The monitor orders its cancel and its end: nothing of it is cancelled that is over.
 */
public final class RunningOperation implements AutoCloseable {
  private static final ScopedValue<RunningOperation> CURRENT = ScopedValue.newInstance();

  private final OperationRegistry registry;
  private final long number;
  private final String id;
  private final String kind;
  private final String namespace;
  private final String key;
  private final String owner;
  private final Instant since;
  private final AtomicInteger joined = new AtomicInteger(1);
  private final AtomicBoolean cancelled = new AtomicBoolean();
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile Stage stage;
  private volatile @Nullable Runnable canceller;
  private volatile Look closer = Look.NONE;
  private volatile @Nullable String failure;
  private volatile boolean closed;

  /** Tells more of an operation than this process knows. */
  @FunctionalInterface
  public interface Look {
    /** Knows nothing more. */
    Look NONE = (operation, _) -> operation;

    /**
     * The operation with what is seen of it.
     *
     * @param glance keeps what other operations need as well
     */
    Operation at(Operation operation, Glance glance);
  }

  private record Stage(String name, String waitsFor, Instant since) {}

  /**
   * @param number later ones have larger numbers
   */
  RunningOperation(
      OperationRegistry registry,
      long number,
      String id,
      String kind,
      String namespace,
      String key) {
    this.registry = registry;
    this.number = number;
    this.id = id;
    this.kind = kind;
    this.namespace = namespace;
    this.key = key;
    this.owner = Owner.current();
    this.since = registry.time().now();
    this.stage = new Stage("begin", "", since);
  }

  /** Runs the body as part of it, so that {@link #tell} is of this one. */
  public <T, X extends Throwable> T call(ScopedValue.CallableOp<T, X> body) throws X {
    return ScopedValue.where(CURRENT, this).call(body);
  }

  /**
   * Tells the stage of the operation that the running code is part of; nobody is told if there is
   * none. For code too deep to be given the operation.
   */
  public static void tell(String stage, String waitsFor) {
    if (CURRENT.isBound()) {
      CURRENT.get().stage(stage, waitsFor);
    }
  }

  /** Its name. */
  public String id() {
    return id;
  }

  /** The next step begins, which waits for nobody. */
  public void stage(String name) {
    stage(name, "");
  }

  /** The next step begins, which may wait for that. */
  public void stage(String name, String waitsFor) {
    Time time = registry.time();
    stage = new Stage(name, waitsFor, time.now());
    registry.changed(Operations.Change.MOVED, this);
  }

  /**
   * How it is cancelled from now on; run at once if it was asked for already, and never once it is
   * over. What is given must return soon, for its end waits.
   */
  public synchronized void cancelledBy(Runnable how) {
    if (closed) {
      return;
    }
    canceller = how;
    if (cancelled.get()) {
      how.run();
    }
  }

  /** Whether it was closed. */
  public boolean isOver() {
    return closed;
  }

  /** Whether somebody asked for its end. */
  public boolean isCancelled() {
    return cancelled.get();
  }

  /**
   * Who can tell more than this process knows. It may ask others, for no longer than a moment, and
   * must not fail.
   */
  public synchronized void lookedAtBy(Look look) {
    if (!closed) {
      closer = look;
    }
  }

  /** What it does, in words for a failure. */
  public String doing() {
    Stage at = stage;
    return at.waitsFor().isEmpty() ? at.name() : at.name() + ", waiting for " + at.waitsFor();
  }

  /** One more, or fewer, wait for its end. */
  public void joined(int more) {
    joined.addAndGet(more);
  }

  /** It does not succeed. */
  public void failed(Throwable reason) {
    String text = reason.getMessage();
    failure = text == null ? reason.toString() : text;
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      canceller = null; // it is still known for a while, what it worked with is not
      closer = Look.NONE;
    }
    registry.ended(this);
    over.countDown();
  }

  // ---- for those who look ----

  long number() {
    return number;
  }

  synchronized boolean cancel() {
    Runnable how = canceller;
    if (how == null) {
      return false;
    }
    if (cancelled.compareAndSet(false, true)) {
      how.run();
    }
    return true;
  }

  boolean await(Duration limit) throws InterruptedException {
    joined.incrementAndGet();
    try {
      return over.await(limit.toNanos(), TimeUnit.NANOSECONDS);
    } finally {
      joined.decrementAndGet();
    }
  }

  Operation now() {
    Stage at = stage;
    String failed = failure;
    return new Operation(
        id,
        kind,
        namespace,
        key,
        at.name(),
        at.waitsFor(),
        since,
        at.since(),
        owner,
        Math.max(0, joined.get()),
        canceller != null && !closed,
        List.of(),
        closed ? Optional.of(failed == null ? Operation.DONE : failed) : Optional.empty());
  }

  Operation closely(Glance glance) {
    return closed ? now() : closer.at(now(), glance);
  }
}

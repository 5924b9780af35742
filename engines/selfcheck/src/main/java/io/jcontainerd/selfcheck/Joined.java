package io.jcontainerd.selfcheck;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Work of which there is one at a time for each key, on a thread of its own: whoever wants the same
 * waits for what comes of it, but no longer than its call has time, and finds it done when it comes
 * again. Work that takes too long is interrupted; so is all of it by closing. Safe for many
 * threads; {@code lock} orders starts and the end.
 */
final class Joined<K, V> implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Joined.class.getName());
  private static final Duration END = Duration.ofSeconds(5);

  private final String name;
  private final Time time;
  private final Duration longest;
  private final Map<K, Running> running = new ConcurrentHashMap<>();
  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean closed;

  /** What is done once. */
  @FunctionalInterface
  interface Work<V> {
    V run() throws InterruptedException;
  }

  private final class Running {
    private final K key;
    private final Work<V> work;
    private final CompletableFuture<V> result = new CompletableFuture<>();
    private final Thread thread;

    Running(K key, Work<V> work) {
      this.key = key;
      this.work = work;
      this.thread = Thread.ofPlatform().name(name).daemon(true).unstarted(this::run);
    }

    void start() {
      thread.start();
      Thread.ofVirtual().name(name + " limit").start(this::limit);
    }

    private void run() {
      V value = null;
      ContainerdException failure = new InternalException(key + ": healing failed");
      try {
        value = work.run();
      } catch (InterruptedException e) {
        failure =
            closed
                ? new CancelledException(key + ": the daemon ends", e)
                : new DeadlineExceededException(key + ": not healed within " + longest, e);
      } catch (ContainerdException e) {
        failure = e;
      } finally {
        // whatever else it threw goes to the thread's handler, which logs it
        end(value, failure);
      }
    }

    /** First it is not under way any more: whoever knows how it ended and tries again, does. */
    private void end(@Nullable V value, ContainerdException failure) {
      running.remove(key, this);
      if (value == null) {
        result.completeExceptionally(failure);
      } else {
        result.complete(value);
      }
    }

    private void limit() {
      try {
        if (!thread.join(longest)) {
          thread.interrupt();
        }
      } catch (InterruptedException e) {
        throw new AssertionError("nobody knows this thread", e);
      }
    }
  }

  /**
   * @param name of the threads
   * @param longest that the work for one key may take
   */
  Joined(String name, Time time, Duration longest) {
    this.name = name;
    this.time = time;
    this.longest = longest;
  }

  /**
   * Has the work done, or waits for that which is under way.
   *
   * @throws DeadlineExceededException if it takes longer than the call has time, or than any may
   */
  V run(K key, Work<V> work) throws InterruptedException {
    return await(start(key, work));
  }

  private Running start(K key, Work<V> work) {
    lock.lock();
    try {
      if (closed) {
        throw new UnavailableException(key + ": the daemon ends");
      }
      Running mine = new Running(key, work);
      Running other = running.putIfAbsent(key, mine);
      if (other != null) {
        return other;
      }
      mine.start();
      return mine;
    } finally {
      lock.unlock();
    }
  }

  private V await(Running one) throws InterruptedException {
    Duration left = longest;
    Optional<Instant> deadline = Call.current().deadline();
    if (deadline.isPresent()) {
      Duration mine = Duration.between(time.now(), deadline.get());
      left = mine.compareTo(left) < 0 ? mine : left;
    }
    try {
      return one.result.get(Math.max(0, left.toMillis()), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new DeadlineExceededException(one.key + ": it is still being healed; try again", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ContainerdException failure
          ? failure
          : new InternalException(one.key + ": healing failed", e);
    }
  }

  /** Interrupts what is under way and waits for a while until it has ended. */
  @Override
  public void close() {
    List<Running> all;
    lock.lock();
    try {
      closed = true;
      all = List.copyOf(running.values());
    } finally {
      lock.unlock();
    }
    all.forEach(one -> one.thread.interrupt());
    long end = System.nanoTime() + END.toNanos();
    boolean interrupted = false;
    for (Running one : all) {
      try {
        if (!one.thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())))) {
          LOG.log(Level.WARNING, "{0}: the healing does not end; it is left to itself", one.key);
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

package io.jcontainerd.selfcheck;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.ports.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Work of which there is one at a time for each key: whoever wants the same waits for what comes of
 * it, but no longer than its call has time. If the one who works is interrupted, one of those who
 * wait goes on in its place. Safe for many threads.
 */
final class Joined<K, V> {
  private final Time time;
  private final Map<K, CompletableFuture<Optional<V>>> running = new ConcurrentHashMap<>();

  /** What is done once. */
  @FunctionalInterface
  interface Work<V> {
    V run() throws InterruptedException;
  }

  Joined(Time time) {
    this.time = time;
  }

  /**
   * Does the work, or waits for whoever does.
   *
   * @throws DeadlineExceededException if another works on it for longer than the call has time
   */
  V run(K key, Work<V> work) throws InterruptedException {
    while (true) {
      var mine = new CompletableFuture<Optional<V>>();
      CompletableFuture<Optional<V>> other = running.putIfAbsent(key, mine);
      if (other == null) {
        return done(key, work, mine);
      }
      Optional<V> theirs = await(key, other);
      if (theirs.isPresent()) {
        return theirs.get();
      }
    }
  }

  private V done(K key, Work<V> work, CompletableFuture<Optional<V>> mine)
      throws InterruptedException {
    try {
      V value = work.run();
      running.remove(key);
      mine.complete(Optional.of(value));
      return value;
    } catch (ContainerdException e) {
      running.remove(key);
      mine.completeExceptionally(e);
      throw e;
    } finally {
      running.remove(key, mine);
      mine.complete(Optional.empty()); // if it was interrupted: another may try
    }
  }

  private Optional<V> await(K key, CompletableFuture<Optional<V>> other)
      throws InterruptedException {
    Optional<Instant> deadline = Call.current().deadline();
    try {
      if (deadline.isEmpty()) {
        return other.get();
      }
      Duration left = Duration.between(time.now(), deadline.get());
      return other.get(Math.max(0, left.toMillis()), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new DeadlineExceededException(key + ": somebody else is still healing it", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ContainerdException failure
          ? failure
          : new InternalException(key + ": healing failed", e);
    }
  }
}

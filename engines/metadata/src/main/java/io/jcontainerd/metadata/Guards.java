package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.UnavailableException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the sweep off objects of a backend that are being made or taken over, and makers off
 * objects that are being swept.
 *
 * <p>A backend changes before the tables do. Between the two, an object looks like garbage: it is
 * in the backend and in no table. So whoever makes or takes over an object holds it from before the
 * backend's change until after the tables', and the sweep looks into the tables only while it keeps
 * holders out. Holds are counted and do not exclude each other. {@code lock} guards the counts;
 * nothing happens under it.
 */
final class Guards {
  private static final long MAX_WAIT_SECONDS = 60;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition swept = lock.newCondition();
  private final Map<String, Integer> held = new HashMap<>();
  private final Set<String> sweeping = new HashSet<>();

  /** Keeps the sweep away until closed; harmless when closed again. */
  final class Hold implements AutoCloseable {
    private final String object;
    private boolean released;

    private Hold(String object) {
      this.object = object;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        if (!released) {
          released = true;
          held.computeIfPresent(object, (_, count) -> count == 1 ? null : count - 1);
        }
      } finally {
        lock.unlock();
      }
    }
  }

  /** The right to remove one object, until closed; harmless when closed again. */
  final class Sweep implements AutoCloseable {
    private final String object;
    private boolean ended;

    private Sweep(String object) {
      this.object = object;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        if (!ended) {
          ended = true;
          sweeping.remove(object);
          swept.signalAll();
        }
      } finally {
        lock.unlock();
      }
    }
  }

  static String content(String digest) {
    return "content " + digest;
  }

  static String ingest(String backendRef) {
    return "ingest " + backendRef;
  }

  static String snapshot(String snapshotter, String backendKey) {
    return "snapshot " + snapshotter + " " + backendKey;
  }

  /** Keeps the sweep away, waiting if the object is being removed just now. */
  Hold hold(String object) {
    lock.lock();
    try {
      long left = TimeUnit.SECONDS.toNanos(MAX_WAIT_SECONDS);
      while (sweeping.contains(object)) {
        if (left <= 0) {
          throw new UnavailableException(object + ": its removal takes too long");
        }
        left = swept.awaitNanos(left);
      }
      held.merge(object, 1, Integer::sum);
      return new Hold(object);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException(object + ": interrupted", e);
    } finally {
      lock.unlock();
    }
  }

  /** Keeps holders out; null while there are any. */
  @Nullable Sweep trySweep(String object) {
    lock.lock();
    try {
      if (held.containsKey(object) || !sweeping.add(object)) {
        return null;
      }
      return new Sweep(object);
    } finally {
      lock.unlock();
    }
  }
}

package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.WriteTransaction;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The store as this room uses it: failures of core, and a word to the collector after each change.
 */
final class Database {
  private static final int BLOCK = 256;

  /** Who wants to know of changes. */
  @FunctionalInterface
  interface Watcher {
    /**
     * Something was changed.
     *
     * @param deletion whether it may have made something collectable
     */
    void changed(boolean deletion);
  }

  /** Numbers that are reserved and not yet given out. */
  private static final class Block {
    private long next;
    private final long end;

    Block(long next, long end) {
      this.next = next;
      this.end = end;
    }

    synchronized long take() {
      return next < end ? next++ : -1;
    }
  }

  private final Store store;
  private final Time time;
  private final AtomicReference<Block> numbers = new AtomicReference<>(new Block(0, 0));
  private volatile Watcher watcher = _ -> {};

  Database(Store store, Time time) {
    this.store = store;
    this.time = time;
  }

  void watch(Watcher listener) {
    watcher = listener;
  }

  Store store() {
    return store;
  }

  Time time() {
    return time;
  }

  long now() {
    return Times.nanos(time.now());
  }

  <T> T read(Store.Read<T> body) {
    try {
      return store.read(body);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  /** Whether there is a row; for a single question. */
  boolean exists(String sql, @Nullable Object... arguments) {
    try {
      return store.exists(sql, arguments);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  /** A change that makes or alters things. */
  <T> T write(Store.Write<T> body) {
    return write(body, false, false);
  }

  /** A change that may leave something that nothing refers to any more. */
  <T> T replace(Store.Write<T> body) {
    return write(body, true, false);
  }

  /** A change that takes something away; on a full disk it may use the space kept back. */
  <T> T delete(Store.Write<T> body) {
    return write(body, true, true);
  }

  /** The end of something that is done already; on a full disk it may use the space kept back. */
  <T> T complete(Store.Write<T> body) {
    return write(body, false, true);
  }

  private <T> T write(Store.Write<T> body, boolean deletion, boolean mayUseReserve) {
    T result;
    try {
      result = mayUseReserve ? store.writeToFree(body) : store.write(body);
    } catch (StoreException e) {
      throw failure(e);
    }
    watcher.changed(deletion);
    return result;
  }

  /** A number that was never given out before, not even by a daemon that was killed. */
  long nextNumber() {
    while (true) {
      Block block = Objects.requireNonNull(numbers.get());
      long number = block.take();
      if (number >= 0) {
        return number;
      }
      numbers.compareAndSet(block, reserve());
    }
  }

  private Block reserve() {
    try {
      return store.write(
          tx -> {
            long next = tx.number("SELECT next FROM numbers WHERE name = 'backend'");
            tx.update("UPDATE numbers SET next = ? WHERE name = 'backend'", next + BLOCK);
            return new Block(next, next + BLOCK);
          });
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  /** Lets a namespace come into being by the first write into it. */
  static void ensureNamespace(WriteTransaction tx, String namespace) {
    tx.update("INSERT OR IGNORE INTO namespaces(name, labels) VALUES (?, '')", namespace);
  }

  static ContainerdException failure(StoreException e) {
    String message = e.getMessage();
    return switch (e.kind()) {
      case FULL -> new ResourceExhaustedException(message, e);
      case CORRUPT -> new DataLossException(message, e);
      case LOCKED, CLOSED, BUSY, BROKEN, TOO_NEW -> new UnavailableException(message, e);
      case INTERRUPTED -> new CancelledException(message, e);
      case EVENTS_LOST -> new OutOfRangeException(message, e);
      case STATEMENT -> new InternalException(message, e);
    };
  }
}

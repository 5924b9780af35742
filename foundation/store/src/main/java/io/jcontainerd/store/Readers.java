package io.jcontainerd.store;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Connections for reading, opened when first needed and kept. Readers wait for each other when all
 * are in use, never for the writer. {@code lock} guards the counts; nothing is opened or read under
 * it.
 */
final class Readers {
  private final Path file;
  private final StoreOptions options;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition freed = lock.newCondition();
  private final ArrayDeque<Session> idle = new ArrayDeque<>();
  private int open;
  private boolean closing;

  Readers(Path file, StoreOptions options) {
    this.file = file;
    this.options = options;
  }

  <T> T read(Store.Read<T> body) {
    Session session = take();
    boolean sound = false;
    try {
      session.command("BEGIN");
      T result;
      try {
        result = body.in(session);
      } catch (RuntimeException | Error e) {
        try {
          session.command("COMMIT");
          sound = true;
        } catch (StoreException alsoFailed) {
          e.addSuppressed(alsoFailed);
        }
        throw e;
      }
      session.command("COMMIT"); // nothing was changed: this ends the look
      sound = true;
      return result;
    } finally {
      giveBack(session, sound);
    }
  }

  /** Whether there is a row: one statement, which is a look by itself. */
  boolean exists(String sql, @Nullable Object... arguments) {
    Session session = take();
    boolean sound = false;
    try {
      boolean exists = session.exists(sql, arguments);
      sound = true;
      return exists;
    } finally {
      giveBack(session, sound);
    }
  }

  int open() {
    lock.lock();
    try {
      return open;
    } finally {
      lock.unlock();
    }
  }

  private Session take() {
    Session session = reserveSlot();
    if (session != null) {
      return session;
    }
    boolean opened = false;
    try {
      Session fresh = Session.open(file, true);
      opened = true;
      return fresh;
    } finally {
      if (!opened) {
        release(null);
      }
    }
  }

  /** An idle session, or null with the right to open one. */
  private @Nullable Session reserveSlot() {
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
    try {
      long left = options.maxWait().toNanos();
      while (true) {
        if (closing) {
          throw Writer.closed();
        }
        Session session = idle.pollLast();
        if (session != null) {
          return session;
        }
        if (open < options.readerLimit()) {
          open++;
          return null;
        }
        if (left <= 0) {
          throw new StoreException(
              StoreException.Kind.BUSY, "store: all " + open + " readers are in use");
        }
        left = freed.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      throw interrupted(e);
    } finally {
      lock.unlock();
    }
  }

  private static StoreException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new StoreException(
        StoreException.Kind.INTERRUPTED, "store: interrupted while waiting to read", e);
  }

  private void giveBack(Session session, boolean sound) {
    if (sound) {
      release(session);
    } else {
      try {
        session.close();
      } finally {
        release(null);
      }
    }
  }

  private void release(@Nullable Session session) {
    lock.lock();
    try {
      if (session == null) {
        open--;
      } else {
        idle.add(session);
      }
      freed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Closes the connections that nobody uses, but for one, which keeps no pages. */
  void shrink() {
    ArrayDeque<Session> unused;
    lock.lock();
    try {
      unused = new ArrayDeque<>(idle);
      idle.clear();
    } finally {
      lock.unlock();
    }
    Session kept = unused.pollLast();
    try {
      while (!unused.isEmpty()) {
        giveBack(unused.removeLast(), false);
      }
    } finally {
      unused.forEach(this::release); // those after one that could not be closed
      if (kept != null) {
        shrink(kept);
      }
    }
  }

  private void shrink(Session session) {
    boolean sound = false;
    try {
      session.shrink();
      sound = true;
    } finally {
      giveBack(session, sound);
    }
  }

  /** Takes no more reads, waits for those that run, and closes the connections. */
  void close(Duration timeout) throws InterruptedException {
    ArrayDeque<Session> closable;
    lock.lock();
    try {
      closing = true;
      freed.signalAll();
      long left = timeout.toNanos();
      while (idle.size() < open && left > 0) {
        left = freed.awaitNanos(left);
      }
      if (idle.size() < open) {
        throw new StoreException(
            StoreException.Kind.BUSY,
            "store: reads did not finish in "
                + TimeUnit.NANOSECONDS.toSeconds(timeout.toNanos())
                + " s");
      }
      closable = new ArrayDeque<>(idle);
      idle.clear();
      open = 0;
    } finally {
      lock.unlock();
    }
    closable.forEach(Session::close);
  }
}

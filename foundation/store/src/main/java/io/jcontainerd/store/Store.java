package io.jcontainerd.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The daemon's one transactional store: an SQLite file in write-ahead mode.
 *
 * <p>A write returns when it is durable. One thread does all writes and commits many callers with
 * one sync; each caller's failure undoes only its own change. A read sees the store as it was at
 * one moment and never waits for writes. Events are recorded in the transaction of the change they
 * tell. Bodies must only read and change the store: no file, process or network, no other store
 * call, no effect outside - a body may be run twice.
 *
 * <p>Safe for many threads. Closing finishes the writes that wait and refuses new ones.
 */
public final class Store implements AutoCloseable {
  private static final Duration CLOSE_WAIT = Duration.ofSeconds(30);

  private final StoreLock lock;
  private final Session session;
  private final Writer writer;
  private final Readers readers;
  private final EventLog events;
  private final Reserve reserve;
  private final RowWatches watches;
  private final ReentrantLock ending = new ReentrantLock(); // guards closed
  private boolean closed;

  /** Something done while the store is seen as it was at one moment. */
  @FunctionalInterface
  public interface Read<T> {
    /** Looks. */
    T in(ReadTransaction transaction);
  }

  /** A change, done as a whole or not at all. */
  @FunctionalInterface
  public interface Write<T> {
    /** Changes; may be called again if the first try was lost through no fault of its own. */
    T in(WriteTransaction transaction);
  }

  /** A change without a result. */
  @FunctionalInterface
  public interface Change {
    /** Changes; may be called again if the first try was lost through no fault of its own. */
    void in(WriteTransaction transaction);
  }

  private Store(
      StoreLock lock,
      Session session,
      Writer writer,
      Readers readers,
      EventLog events,
      Reserve reserve,
      RowWatches watches) {
    this.lock = lock;
    this.session = session;
    this.writer = writer;
    this.readers = readers;
    this.events = events;
    this.reserve = reserve;
    this.watches = watches;
  }

  /**
   * Opens the store, making it if need be, and brings its tables up to date.
   *
   * @param file the database; its folder must exist
   * @throws StoreException of kind {@code LOCKED} if a daemon uses it, {@code TOO_NEW} if a newer
   *     one wrote it, {@code CORRUPT} if it is damaged or another program's, {@code FULL} or {@code
   *     BROKEN}
   */
  public static Store open(Path file, StoreOptions options, List<Schema> schemas) {
    StoreLock lock = null;
    Session session = null;
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder == null || !Files.isDirectory(folder)) {
        throw new StoreException(
            StoreException.Kind.BROKEN, "store %s: its folder does not exist".formatted(file));
      }
      lock = StoreLock.take(file);
      NativeLibrary.provide(folder);
      create(file, folder);
      Owner.check(file);
      Reserve reserve = new Reserve(file, options.reserveBytes());
      session = openSession(file, reserve);
      List<Schema> all = new ArrayList<>(schemas);
      all.add(EventLog.SCHEMA);
      Migrations.run(session, all, options);
      EventLog events = new EventLog(session, options.eventsKept());
      Writer writer = new Writer(session, events, reserve, options);
      RowWatches watches = RowWatches.install(session, all);
      Store store =
          new Store(lock, session, writer, new Readers(file, options), events, reserve, watches);
      reserve.refill();
      writer.start();
      return store;
    } catch (IOException e) {
      StoreException failure =
          new StoreException(
              StoreException.Kind.BROKEN,
              "store %s cannot be opened: %s".formatted(file, e.getMessage()),
              e);
      undo(session, lock, failure);
      throw failure;
    } catch (RuntimeException | Error e) {
      undo(session, lock, e);
      throw e;
    }
  }

  private static void create(Path file, Path folder) throws IOException {
    if (Files.exists(file)) {
      return;
    }
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (FileChannel channel = FileChannel.open(folder)) {
        channel.force(true);
      }
    } catch (FileAlreadyExistsException e) {
      throw new StoreException(
          StoreException.Kind.BROKEN, "store %s: appeared while being made".formatted(file), e);
    }
  }

  /** On a full disk even opening needs a little room: the reserve gives it. */
  private static Session openSession(Path file, Reserve reserve) throws IOException {
    while (true) {
      try {
        return Session.open(file, false);
      } catch (StoreException e) {
        boolean perhapsFull =
            e.kind() == StoreException.Kind.FULL || e.kind() == StoreException.Kind.BROKEN;
        if (!perhapsFull || !reserve.release()) {
          throw e;
        }
      }
    }
  }

  private static void undo(@Nullable Session session, @Nullable StoreLock lock, Throwable reason) {
    try {
      if (session != null) {
        session.close();
      }
    } catch (StoreException e) {
      reason.addSuppressed(e);
    }
    try {
      if (lock != null) {
        lock.close();
      }
    } catch (IOException e) {
      reason.addSuppressed(e);
    }
  }

  /**
   * Looks at the store.
   *
   * @throws StoreException if it cannot be read
   */
  public <T> T read(Read<T> body) {
    return readers.read(body);
  }

  /**
   * Whether there is a row. Quicker than {@link #read}, for one statement needs no transaction.
   *
   * @throws StoreException if the store cannot be read
   */
  public boolean exists(String sql, @Nullable Object... arguments) {
    return readers.exists(sql, arguments);
  }

  /**
   * Changes the store and waits until the change is durable.
   *
   * @throws StoreException if it could not be made durable; what the body throws is passed on and
   *     undoes the change
   */
  public <T> T write(Write<T> body) {
    return writer.write(body, false);
  }

  /** Changes the store, as {@link #write} does. */
  public void change(Change body) {
    writer.write(withoutResult(body), false);
  }

  /**
   * Changes the store, as {@link #write} does; for changes that let space be freed. On a full disk
   * they may use the space kept back.
   */
  public <T> T writeToFree(Write<T> body) {
    return writer.write(body, true);
  }

  /** Ends when it is closed. */
  @FunctionalInterface
  public interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Shows a watcher every row that is inserted or updated from now on. Changes that are under way
   * may have been seen by nobody: {@link #fence} tells when they have ended.
   *
   * @param table one that its schema declares to be watched
   * @throws IllegalStateException if somebody watches it already
   */
  public Watch watch(String table, RowWatcher watcher) {
    return watches.watch(table, watcher);
  }

  /** Returns when all changes that were asked for before have ended. */
  public void fence() {
    writer.write(_ -> true, true);
  }

  private static Write<Boolean> withoutResult(Change body) {
    return transaction -> {
      body.in(transaction);
      return true;
    };
  }

  /** Shows the events from now on. */
  public EventSubscription subscribe() {
    return events.subscribe(this, -1);
  }

  /**
   * Shows the recorded events after a number, then those to come.
   *
   * @param after 0 for all
   * @throws StoreException of kind {@code EVENTS_LOST} if they are no longer kept, or if there
   *     never was such a number
   */
  public EventSubscription subscribeAfter(long after) {
    if (after < 0 || after > events.committed()) {
      throw new StoreException(
          StoreException.Kind.EVENTS_LOST,
          "event %d: the newest is %d".formatted(after, events.committed()));
    }
    EventSubscription subscription = events.subscribe(this, after);
    try {
      eventsAfter(after, 1);
      return subscription;
    } catch (StoreException e) {
      subscription.close();
      throw e;
    }
  }

  /** The number of the newest event that is kept, 0 before the first. */
  public long lastEvent() {
    return events.committed();
  }

  /** The number before the oldest event that is kept: from here a subscriber can see all. */
  public long eventsFloor() {
    long oldest = read(transaction -> transaction.number("SELECT min(number) FROM events"));
    return oldest == 0 ? 0 : oldest - 1;
  }

  List<StoredEvent> eventsAfter(long after, int limit) {
    List<StoredEvent> found =
        read(
            transaction ->
                transaction.all(
                    "SELECT number, at, namespace, topic, type, payload FROM events"
                        + " WHERE number > ? ORDER BY number LIMIT ?",
                    row ->
                        new StoredEvent(
                            row.number(0),
                            row.number(1),
                            row.text(2),
                            row.text(3),
                            row.text(4),
                            row.bytes(5)),
                    after,
                    limit));
    if (!found.isEmpty() && found.getFirst().number() != after + 1) {
      throw new StoreException(
          StoreException.Kind.EVENTS_LOST,
          "events after %d are no longer kept: the oldest is %d"
              .formatted(after, found.getFirst().number()));
    }
    return found;
  }

  /**
   * Gives back what it keeps in memory to be quick: connections for many readers at once, and pages
   * of the file. For when nobody has used it for a while; the next to come have to open and read
   * again.
   *
   * @throws StoreException if a connection could not be closed or the store is closed
   */
  public void shrink() {
    readers.shrink();
    writer.write(
        _ -> {
          session.shrink(); // on the thread that has it
          return true;
        },
        true);
  }

  /** How the store is doing. */
  public StoreStats stats() {
    return new StoreStats(
        writer.depth(),
        writer.age(),
        writer.commits(),
        writer.writes(),
        writer.failed(),
        writer.lastCommit(),
        writer.longestCommit(),
        writer.totalCommit(),
        writer.longestHold(),
        readers.open(),
        events.committed(),
        events.subscribers(),
        events.longestLag(),
        reserve.present());
  }

  /**
   * Finishes the writes that wait, ends the subscriptions and closes the file. Harmless when
   * repeated; after a failure, another call goes on where this one came to. Until it succeeds the
   * file stays this store's, since something of it still uses it.
   *
   * @throws StoreException if writes or reads did not end in time, or the file could not be closed
   */
  @Override
  public void close() {
    ending.lock();
    try {
      if (closed) {
        return;
      }
      writer.close(CLOSE_WAIT);
      events.close();
      readers.close(CLOSE_WAIT);
      session.close(); // the last connection merges the write-ahead log
      lock.close();
      closed = true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreException(
          StoreException.Kind.INTERRUPTED, "store: interrupted while closing", e);
    } catch (IOException e) {
      throw new StoreException(
          StoreException.Kind.BROKEN, "store: its lock could not be released", e);
    } finally {
      ending.unlock();
    }
  }
}

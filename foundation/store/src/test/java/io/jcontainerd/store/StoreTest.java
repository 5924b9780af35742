package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class StoreTest {
  static final Schema PAIRS =
      new Schema(
          "pairs",
          List.of(
              Schema.Step.of(
                  "CREATE TABLE pairs(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")));

  @TempDir Path folder;

  private Store open() {
    return open(StoreOptions.DEFAULTS);
  }

  private Store open(StoreOptions options) {
    return Store.open(folder.resolve("test.db"), options, List.of(PAIRS));
  }

  static void put(WriteTransaction tx, String key, String value) {
    tx.update("INSERT INTO pairs(key, value) VALUES (?, ?)", key, value);
  }

  static String value(ReadTransaction tx, String key) {
    return tx.first("SELECT value FROM pairs WHERE key = ?", row -> row.text(0), key)
        .orElse("none");
  }

  static long count(Store store) {
    return store.read(tx -> tx.number("SELECT count(*) FROM pairs"));
  }

  private static StoreException.Kind kindOf(@Nullable Throwable failure) {
    assertThat(failure).isInstanceOf(StoreException.class);
    return ((StoreException) Objects.requireNonNull(failure)).kind();
  }

  @Test
  void a_write_is_seen_by_reads_that_begin_after_it_and_after_reopening() {
    try (Store store = open()) {
      String result =
          store.write(
              tx -> {
                put(tx, "a", "1");
                return value(tx, "a") + "!";
              });
      assertThat(result).isEqualTo("1!");
      assertThat(store.<String>read(tx -> value(tx, "a"))).isEqualTo("1");
    }
    try (Store store = open()) {
      assertThat(store.<String>read(tx -> value(tx, "a"))).isEqualTo("1");
    }
  }

  @Test
  void every_type_of_value_comes_back_as_it_was_stored() {
    try (Store store = open()) {
      byte[] bytes = {0, 1, (byte) 0xff};
      store.<Boolean>read(
          tx ->
              tx.first(
                      "SELECT ?, ?, ?, ?, ?",
                      row -> {
                        assertThat(row.text(0)).isEqualTo("grüße");
                        assertThat(row.number(1)).isEqualTo(Long.MIN_VALUE);
                        assertThat(row.bytes(2)).isEqualTo(bytes);
                        assertThat(row.isNull(3)).isTrue();
                        assertThat(row.textOrNull(3)).isNull();
                        assertThat(row.bytesOrNull(3)).isNull();
                        assertThat(row.number(4)).isEqualTo(7);
                        assertThatThrownBy(() -> row.text(3)).hasMessageContaining("is null");
                        return true;
                      },
                      "grüße",
                      Long.MIN_VALUE,
                      bytes,
                      null,
                      7)
                  .orElseThrow());
    }
  }

  @Test
  void a_failing_body_undoes_its_own_change_and_its_failure_reaches_its_caller() {
    try (Store store = open()) {
      RuntimeException mine = new IllegalStateException("mine");
      assertThatThrownBy(
              () ->
                  store.change(
                      tx -> {
                        put(tx, "a", "1");
                        throw mine;
                      }))
          .isSameAs(mine);
      assertThat(count(store)).isZero();
    }
  }

  @Test
  void a_refused_statement_is_told_and_harms_nobody_else() {
    try (Store store = open()) {
      store.change(tx -> put(tx, "a", "1"));
      assertThatThrownBy(() -> store.change(tx -> put(tx, "a", "2")))
          .isInstanceOf(StoreException.class)
          .hasMessageContaining("UNIQUE")
          .extracting(StoreTest::kindOf)
          .isEqualTo(StoreException.Kind.STATEMENT);
      store.change(tx -> put(tx, "b", "2"));
      assertThat(count(store)).isEqualTo(2);
    }
  }

  @Test
  void callers_that_wait_together_share_one_commit_and_one_failure_is_its_own() throws Exception {
    try (Store store = open();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch writerIsBusy = new CountDownLatch(1);
      CountDownLatch letGo = new CountDownLatch(1);
      Future<?> first =
          threads.submit(
              () ->
                  store.change(
                      tx -> {
                        writerIsBusy.countDown();
                        awaitQuietly(letGo);
                        put(tx, "first", "");
                      }));
      writerIsBusy.await();
      List<Future<?>> others = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        int number = i;
        others.add(
            threads.submit(
                () ->
                    store.change(
                        tx -> {
                          put(tx, "k" + number, "");
                          tx.event(1, "ns", "/n", "t", new byte[0]);
                          if (number % 10 == 3) {
                            throw new IllegalStateException("mine " + number);
                          }
                        })));
      }
      Queue.awaitDepth(store, 50);
      assertThat(store.stats().queueAge()).isPositive();
      long commitsBefore = store.stats().commits();
      letGo.countDown();
      first.get();
      int failures = 0;
      for (Future<?> other : others) {
        try {
          other.get();
        } catch (ExecutionException e) {
          assertThat(e.getCause()).hasMessageStartingWith("mine ");
          failures++;
        }
      }
      assertThat(failures).isEqualTo(5);
      assertThat(count(store)).isEqualTo(1 + 45);
      assertThat(store.stats().commits() - commitsBefore).isEqualTo(2);
      assertThat(store.stats().failedWrites()).isEqualTo(5);
      assertThat(store.lastEvent()).isEqualTo(45);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      if (!latch.await(120, TimeUnit.SECONDS)) {
        throw new AssertionError("never released");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void shrunk_it_has_one_connection_for_readers_and_goes_on() throws Exception {
    try (Store store = open();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      store.change(tx -> put(tx, "a", "1"));
      CountDownLatch reading = new CountDownLatch(3);
      CountDownLatch letGo = new CountDownLatch(1);
      List<Future<Long>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        readers.add(
            threads.submit(
                () ->
                    store.<Long>read(
                        tx -> {
                          reading.countDown();
                          awaitQuietly(letGo);
                          return tx.number("SELECT count(*) FROM pairs");
                        })));
      }
      reading.await();
      store.shrink();
      assertThat(store.stats().readers()).as("those in use").isEqualTo(3);
      letGo.countDown();
      for (Future<Long> reader : readers) {
        assertThat(reader.get()).isEqualTo(1);
      }
      store.shrink();
      assertThat(store.stats().readers()).isEqualTo(1);
      store.change(tx -> put(tx, "b", "2"));
      assertThat(count(store)).isEqualTo(2);
    }
  }

  @Test
  void readers_do_not_wait_for_a_writer_and_keep_their_view() throws Exception {
    try (Store store = open();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      store.change(tx -> put(tx, "a", "1"));
      CountDownLatch writing = new CountDownLatch(1);
      CountDownLatch letGo = new CountDownLatch(1);
      Future<?> writer =
          threads.submit(
              () ->
                  store.change(
                      tx -> {
                        put(tx, "b", "2");
                        writing.countDown();
                        awaitQuietly(letGo);
                      }));
      writing.await();
      assertThat(count(store)).isEqualTo(1);
      store.<Boolean>read(
          tx -> {
            assertThat(tx.number("SELECT count(*) FROM pairs")).isEqualTo(1);
            letGo.countDown();
            try {
              writer.get();
            } catch (Exception e) {
              throw new AssertionError(e);
            }
            assertThat(tx.number("SELECT count(*) FROM pairs")).isEqualTo(1);
            return true;
          });
      assertThat(count(store)).isEqualTo(2);
    }
  }

  @Test
  void a_read_cannot_change_anything() {
    try (Store store = open()) {
      assertThatThrownBy(
              () -> store.<Boolean>read(tx -> tx.exists("DELETE FROM pairs RETURNING 1")))
          .isInstanceOf(StoreException.class);
    }
  }

  @Test
  void a_full_queue_refuses_with_the_number_that_wait() throws Exception {
    StoreOptions options =
        StoreOptions.DEFAULTS.withQueueLimit(1).withMaxWait(Duration.ofMillis(50));
    try (Store store = open(options);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      CountDownLatch busy = new CountDownLatch(1);
      CountDownLatch letGo = new CountDownLatch(1);
      Future<?> holding = threads.submit(() -> hold(store, busy, letGo));
      busy.await();
      Callable<Throwable> refused =
          () -> {
            try {
              store.change(tx -> put(tx, "refused " + System.nanoTime(), ""));
              return new AssertionError("passed");
            } catch (StoreException e) {
              return e;
            }
          };
      Future<Throwable> second = threads.submit(refused);
      Future<Throwable> third = threads.submit(refused);
      assertThat(kindOf(second.get())).isEqualTo(StoreException.Kind.BUSY);
      assertThat(kindOf(third.get())).isEqualTo(StoreException.Kind.BUSY);
      letGo.countDown();
      holding.get();
      assertThat(count(store)).isZero(); // what was refused is never done later
    }
  }

  /** Keeps the writer busy, also where that is slow to begin and so refuses at first. */
  private static void hold(Store store, CountDownLatch busy, CountDownLatch letGo) {
    while (busy.getCount() > 0) {
      try {
        store.change(
            tx -> {
              busy.countDown();
              awaitQuietly(letGo);
            });
      } catch (StoreException e) {
        assertThat(e.kind()).isEqualTo(StoreException.Kind.BUSY);
      }
    }
  }

  @Test
  void an_interrupted_caller_leaves_nothing_behind() throws Exception {
    try (Store store = open()) {
      CountDownLatch busy = new CountDownLatch(1);
      CountDownLatch letGo = new CountDownLatch(1);
      Thread holding =
          Thread.startVirtualThread(
              () ->
                  store.change(
                      tx -> {
                        busy.countDown();
                        awaitQuietly(letGo);
                      }));
      busy.await();
      AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
      Thread waiting =
          Thread.startVirtualThread(
              () -> {
                try {
                  store.change(tx -> put(tx, "late", ""));
                } catch (StoreException e) {
                  failure.set(e);
                }
              });
      Queue.awaitDepth(store, 1);
      waiting.interrupt();
      waiting.join();
      letGo.countDown();
      holding.join();
      assertThat(kindOf(failure.get())).isEqualTo(StoreException.Kind.INTERRUPTED);
      assertThat(count(store)).isZero();
    }
  }

  @Test
  void closing_finishes_what_waits_and_refuses_what_comes() throws Exception {
    Store store = open();
    CountDownLatch busy = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    Thread holding =
        Thread.startVirtualThread(
            () ->
                store.change(
                    tx -> {
                      busy.countDown();
                      awaitQuietly(letGo);
                    }));
    busy.await();
    Thread waiting = Thread.startVirtualThread(() -> store.change(tx -> put(tx, "waited", "")));
    Queue.awaitDepth(store, 1);
    Thread closing = Thread.startVirtualThread(store::close);
    letGo.countDown();
    closing.join();
    holding.join();
    waiting.join();
    assertThatThrownBy(() -> store.change(tx -> put(tx, "late", "")))
        .extracting(StoreTest::kindOf)
        .isEqualTo(StoreException.Kind.CLOSED);
    assertThatThrownBy(() -> count(store))
        .extracting(StoreTest::kindOf)
        .isEqualTo(StoreException.Kind.CLOSED);
    store.close();
    try (Store again = open()) {
      assertThat(again.<String>read(tx -> value(tx, "waited"))).isEmpty();
    }
  }

  @Test
  void a_store_in_use_is_refused_with_the_process_that_has_it() {
    try (Store store = open()) {
      assertThatThrownBy(this::open)
          .hasMessageContaining("is in use by process " + ProcessHandle.current().pid())
          .extracting(StoreTest::kindOf)
          .isEqualTo(StoreException.Kind.LOCKED);
      store.change(tx -> put(tx, "a", "1"));
    }
    open().close();
  }

  @Test
  void an_orderly_close_leaves_only_the_database_lock_reserve_and_library() throws IOException {
    try (Store store = open()) {
      store.change(tx -> put(tx, "a", "1"));
    }
    try (var files = Files.list(folder)) {
      assertThat(files.map(f -> f.getFileName().toString()).filter(n -> !n.equals("lib")))
          .containsExactlyInAnyOrder("test.db", "test.db.lock", "test.db.reserve");
    }
    assertThat(Files.getPosixFilePermissions(folder.resolve("test.db")))
        .isEqualTo(java.nio.file.attribute.PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void a_file_that_is_no_database_is_called_damaged_and_left_alone() throws IOException {
    Path file = folder.resolve("test.db");
    byte[] text =
        "this is not a database, it only looks like a file of some length"
            .repeat(20)
            .getBytes(StandardCharsets.US_ASCII);
    Files.write(file, text);
    assertThatThrownBy(this::open)
        .hasMessageContaining("is damaged")
        .extracting(StoreTest::kindOf)
        .isEqualTo(StoreException.Kind.CORRUPT);
    assertThat(Files.readAllBytes(file)).isEqualTo(text);
  }

  @Test
  void a_damaged_page_is_told_when_it_is_met() throws IOException {
    try (Store store = open()) {
      for (int i = 0; i < 200; i++) {
        int number = i;
        store.change(tx -> put(tx, "key" + number, "value".repeat(100)));
      }
    }
    Path file = folder.resolve("test.db");
    byte[] bytes = Files.readAllBytes(file);
    Arrays.fill(bytes, 4096 * 4, bytes.length, (byte) 0x5a);
    Files.write(file, bytes);
    assertThatThrownBy(
            () -> {
              try (Store store = open()) {
                store.read(tx -> tx.all("SELECT key, value FROM pairs", row -> row.text(1)));
              }
            })
        .extracting(StoreTest::kindOf)
        .isEqualTo(StoreException.Kind.CORRUPT);
  }

  @Test
  void a_missing_folder_is_told() {
    assertThatThrownBy(
            () -> Store.open(folder.resolve("no/such.db"), StoreOptions.DEFAULTS, List.of(PAIRS)))
        .hasMessageContaining("folder does not exist");
  }

  @Test
  void a_write_inside_a_write_is_a_bug_and_told_as_one() {
    try (Store store = open()) {
      assertThatThrownBy(() -> store.change(_ -> store.change(tx -> put(tx, "a", ""))))
          .isInstanceOf(IllegalStateException.class);
      store.change(tx -> put(tx, "b", ""));
      assertThat(count(store)).isEqualTo(1);
    }
  }
}

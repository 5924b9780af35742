package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class WriterTest {
  @TempDir Path folder;

  /** Finds no memory whenever it looks. */
  private static final class Starved extends Reserve {
    final AtomicInteger asked = new AtomicInteger();

    Starved(Path database) throws IOException {
      super(database, 0);
    }

    @Override
    void refill() {
      asked.incrementAndGet();
      throw new OutOfMemoryError("Direct buffer memory");
    }
  }

  @Test
  void a_lack_of_memory_does_not_end_the_writer() throws Exception {
    Path file = folder.resolve("test.db");
    Store.open(file, StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS)).close();
    try (Session session = Session.open(file, false)) {
      Starved starved = new Starved(file);
      StoreOptions options = StoreOptions.DEFAULTS.withMaxWait(Duration.ofSeconds(60));
      Writer writer = new Writer(session, new EventLog(session, 100), starved, options);
      writer.start();
      for (int i = 0; i < 3; i++) {
        String key = "k" + i;
        writer.<Boolean>write(
            tx -> {
              StoreTest.put(tx, key, "v");
              return true;
            },
            false);
      }
      writer.close(Duration.ofSeconds(90));
      assertThat(starved.asked).hasValue(3);
      assertThat(session.number("SELECT count(*) FROM pairs")).isEqualTo(3);
    }
  }

  @Test
  void a_body_that_finds_no_memory_fails_alone() throws Exception {
    try (Store store =
            Store.open(folder.resolve("test.db"), StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writes = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        int number = i;
        writes.add(
            threads.submit(
                () ->
                    store.change(
                        tx -> {
                          StoreTest.put(tx, "k" + number, "v");
                          if (number == 7) {
                            throw new OutOfMemoryError("Java heap space");
                          }
                        })));
      }
      for (int i = 0; i < 20; i++) {
        Future<?> write = writes.get(i);
        if (i == 7) {
          assertThatThrownBy(write::get).hasCauseInstanceOf(OutOfMemoryError.class);
        } else {
          write.get();
        }
      }
      assertThat(StoreTest.count(store)).isEqualTo(19);
    }
  }

  /** SQLite waits five seconds for the other; once for the group, not once for each member. */
  @Test
  void another_programs_lock_fails_all_that_wait_at_once() throws Exception {
    Path file = folder.resolve("test.db");
    try (Store store = Store.open(file, StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS));
        Session shell = Session.open(file, false);
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      shell.execute("BEGIN IMMEDIATE");
      List<Future<?>> writes = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        int number = i;
        writes.add(threads.submit(() -> store.change(tx -> StoreTest.put(tx, "k" + number, "v"))));
      }
      for (Future<?> write : writes) {
        assertThatThrownBy(() -> write.get(30, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .cause()
            .extracting(failure -> ((StoreException) failure).kind())
            .isEqualTo(StoreException.Kind.LOCKED);
      }
      shell.execute("ROLLBACK");
      store.change(tx -> StoreTest.put(tx, "after", "v"));
      assertThat(StoreTest.count(store)).isEqualTo(1);
    }
  }

  @Test
  void a_close_that_was_interrupted_is_gone_on_with_by_another() throws Exception {
    Path file = folder.resolve("test.db");
    Store store = Store.open(file, StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS));
    var begun = new Semaphore(0);
    var end = new Semaphore(0);
    Thread changing =
        Thread.ofVirtual()
            .start(
                () ->
                    store.change(
                        tx -> {
                          begun.release();
                          end.acquireUninterruptibly();
                          StoreTest.put(tx, "k", "v");
                        }));
    begun.acquire();
    Thread.currentThread().interrupt();
    assertThatThrownBy(store::close)
        .extracting(failure -> ((StoreException) failure).kind())
        .isEqualTo(StoreException.Kind.INTERRUPTED);
    assertThat(Thread.interrupted()).isTrue();
    end.release();
    store.close();
    store.close();
    changing.join();
    try (Store again = Store.open(file, StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS))) {
      assertThat(StoreTest.count(again)).isEqualTo(1);
    }
  }
}

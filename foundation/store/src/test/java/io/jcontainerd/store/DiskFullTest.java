package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A store on a file system that is really full. */
@Tag("root")
@Timeout(300)
class DiskFullTest {
  @TempDir static Path elsewhere;
  @TempDir Path folder;

  /** The first store of a process gives it the native library, which then keeps its disk busy. */
  @BeforeAll
  static void loadLibraryFromElsewhere() {
    Store.open(elsewhere.resolve("test.db"), StoreOptions.DEFAULTS, List.of()).close();
  }

  @BeforeEach
  void mount() throws Exception {
    run("mount", "-t", "tmpfs", "-o", "size=24m", "jcontainerd-test", folder.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    for (int i = 1; !isUnmounted(); i++) { // others may look at a new disk for a moment
      assertThat(i).as("tries to unmount").isLessThan(300);
      Thread.sleep(100);
    }
  }

  private boolean isUnmounted() throws Exception {
    return new ProcessBuilder("umount", folder.toString()).inheritIO().start().waitFor() == 0;
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
  }

  private Store open() {
    return Store.open(folder.resolve("test.db"), StoreOptions.DEFAULTS, List.of(StoreTest.PAIRS));
  }

  private Path fill() throws IOException {
    Path filler = folder.resolve("filler");
    try (OutputStream out = Files.newOutputStream(filler)) {
      byte[] zeros = new byte[4096];
      while (true) {
        out.write(zeros);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
      return filler;
    }
  }

  private static StoreException.Kind kindOf(Throwable failure) {
    return ((StoreException) failure).kind();
  }

  @Test
  void a_full_disk_fails_writes_not_reads_nor_deletes_and_heals_by_itself() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 100; i++) {
        int number = i;
        store.change(tx -> StoreTest.put(tx, "k" + number, "x".repeat(2000)));
      }
      assertThat(store.stats().reserve()).isTrue();
      Path filler = fill();
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  int number = i;
                  store.change(tx -> StoreTest.put(tx, "late" + number, "x".repeat(200_000)));
                }
              })
          .hasMessageContaining("no space left on device")
          .extracting(DiskFullTest::kindOf)
          .isEqualTo(StoreException.Kind.FULL);
      long there = StoreTest.count(store);
      assertThat(there).isGreaterThanOrEqualTo(100);

      int deleted = store.writeToFree(tx -> tx.update("DELETE FROM pairs WHERE key GLOB 'k*'"));
      assertThat(deleted).isEqualTo(100);
      assertThat(store.stats().reserve()).isFalse();

      Files.delete(filler);
      store.change(tx -> StoreTest.put(tx, "after", "x".repeat(200_000)));
      assertThat(StoreTest.count(store)).isEqualTo(there - 100 + 1);
    }
    try (Store store = open()) {
      assertThat(store.stats().reserve()).isTrue();
      assertThat(store.<Boolean>read(tx -> tx.exists("SELECT 1 FROM pairs WHERE key = 'after'")))
          .isTrue();
    }
  }

  @Test
  void deletions_work_again_and_again_although_others_take_what_they_give_back() throws Exception {
    try (Store store = open()) {
      for (int i = 0; i < 10; i++) {
        int number = i;
        store.change(tx -> StoreTest.put(tx, "k" + number, "x".repeat(20_000)));
      }
      for (int i = 0; i < 10; i++) {
        String key = "k" + i;
        fill();
        int deleted = store.writeToFree(tx -> tx.update("DELETE FROM pairs WHERE key = ?", key));
        assertThat(deleted).as("in round %d", i).isEqualTo(1);
      }
    }
    fill();
    try (Store store = open()) {
      assertThat(StoreTest.count(store)).isZero();
    }
  }

  @Test
  void one_oversized_change_does_not_fail_those_that_share_its_commit() throws Exception {
    try (Store store = open();
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var busy = new CountDownLatch(1);
      var letGo = new CountDownLatch(1);
      var holding =
          threads.submit(
              () ->
                  store.change(
                      _ -> {
                        busy.countDown();
                        try {
                          letGo.await();
                        } catch (InterruptedException e) {
                          throw new AssertionError(e);
                        }
                      }));
      busy.await();
      var small = threads.submit(() -> store.change(tx -> StoreTest.put(tx, "small", "")));
      Queue.awaitDepth(store, 1);
      var huge =
          threads.submit(() -> store.change(tx -> StoreTest.put(tx, "huge", "x".repeat(60 << 20))));
      Queue.awaitDepth(store, 2);
      var other = threads.submit(() -> store.change(tx -> StoreTest.put(tx, "other", "")));
      Queue.awaitDepth(store, 3);
      letGo.countDown();
      holding.get();
      small.get();
      other.get();
      assertThatThrownBy(huge::get).hasMessageContaining("no space left on device");
      assertThat(StoreTest.count(store)).isEqualTo(2);
    }
  }

  @Test
  void a_store_opens_on_a_full_disk() throws Exception {
    try (Store store = open()) {
      store.change(tx -> StoreTest.put(tx, "a", "1"));
    }
    fill();
    try (Store store = open()) {
      assertThat(StoreTest.count(store)).isEqualTo(1);
      int deleted = store.writeToFree(tx -> tx.update("DELETE FROM pairs"));
      assertThat(deleted).isEqualTo(1);
    }
  }
}

package io.jcontainerd.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SignalsTest {
  @TempDir Path folder;

  @Test
  void virtual_threads_are_among_the_stacks() throws Exception {
    var running = new CountDownLatch(1);
    var end = new CountDownLatch(1);
    Thread thread = Thread.ofVirtual().name("a call").start(() -> waitIn(running, end));
    running.await();
    try {
      Path file = folder.resolve("stacks.log");
      assertThat(Signals.stacks(file)).content().contains("\"a call\"", "SignalsTest.waitIn");
      assertThat(Signals.stacks(file)).as("a second time").content().contains("\"a call\"");
    } finally {
      end.countDown();
      thread.join();
    }
  }

  private static void waitIn(CountDownLatch running, CountDownLatch end) {
    running.countDown();
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

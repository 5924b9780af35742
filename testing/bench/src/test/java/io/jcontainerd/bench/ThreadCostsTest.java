package io.jcontainerd.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ThreadCostsTest {
  @Test
  void namesLoseWhatDiffers() {
    assertThat(ThreadCosts.group("unpack-0a1b2c3d")).isEqualTo("unpack");
    assertThat(ThreadCosts.group("GC Thread#1")).isEqualTo("GC Thread");
    assertThat(ThreadCosts.group("C2 CompilerThre")).isEqualTo("C2 CompilerThre");
  }

  @Test
  void aThreadThatWorksIsCounted() throws Exception {
    var costs = new ThreadCosts(ProcessHandle.current().pid(), new Cost());
    var seen = new CountDownLatch(1);
    try (costs) {
      Thread worker = Thread.ofPlatform().name("spins-7").start(() -> spinAndStay(seen));
      long begun = System.nanoTime();
      while (costs.groups().stream().noneMatch(ThreadCostsTest::hasSpun)) {
        assertThat(System.nanoTime() - begun).as("time").isLessThan(90_000_000_000L);
        Thread.sleep(10);
      }
      seen.countDown();
      worker.join();
    }
    assertThat(costs.groups())
        .anySatisfy(
            group -> {
              assertThat(group.name()).isEqualTo("spins");
              assertThat(group.seconds()).isBetween(0.2, 1.0);
            });
  }

  private static boolean hasSpun(ThreadCosts.Group group) {
    return group.name().equals("spins") && group.seconds() > 0.2;
  }

  /** Until it was looked at, for the end of a thread that went is missed. */
  private static void spinAndStay(CountDownLatch seen) {
    spin();
    try {
      seen.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void spin() {
    long end = ThreadTime.now() + 500_000_000;
    while (ThreadTime.now() < end) {
      Thread.onSpinWait();
    }
  }

  /** Of the current thread, so that a busy machine does not matter. */
  private static final class ThreadTime {
    static long now() {
      return java.lang.management.ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
  }
}

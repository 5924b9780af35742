package io.jcontainerd.bench;

import static org.assertj.core.api.Assertions.assertThat;

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
    try (costs) {
      Thread worker = Thread.ofPlatform().name("spins-7").start(ThreadCostsTest::spin);
      worker.join();
    }
    assertThat(costs.groups())
        .anySatisfy(
            group -> {
              assertThat(group.name()).isEqualTo("spins");
              assertThat(group.seconds()).isBetween(0.2, 1.0);
            });
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

package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;

/** Waits until changes wait. */
final class Queue {
  private static final Duration LIMIT = Duration.ofSeconds(90);

  private Queue() {}

  static void awaitDepth(Store store, int depth) {
    long begun = System.nanoTime();
    while (store.stats().queueDepth() < depth) {
      assertThat(System.nanoTime() - begun)
          .as("time until %d wait", depth)
          .isLessThan(LIMIT.toNanos());
      Thread.onSpinWait();
    }
  }
}

package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.runtime.bundle.Bundle;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A sandbox's entry in the daemon. It holds the name until nothing of the sandbox is left, so that
 * a new one of the same name never meets the remains of the old one.
 */
class Entry {
  /** Where the entry is in its life. */
  enum Stage {
    /** Being made or found again. */
    MAKING,
    /** It can be asked. */
    LIVE,
    /** Somebody is removing what is left of it; nobody else may. */
    ENDING
  }

  private final Bundle bundle;
  private final AtomicReference<Stage> stage = new AtomicReference<>(Stage.MAKING);
  private final CountDownLatch gone = new CountDownLatch(1);

  Entry(Bundle bundle) {
    this.bundle = bundle;
  }

  final Bundle bundle() {
    return bundle;
  }

  final boolean isAt(Stage wanted) {
    return stage.get() == wanted;
  }

  /** Gives the right to go on, to one caller only. */
  final boolean advance(Stage from, Stage to) {
    return stage.compareAndSet(from, to);
  }

  final void gone() {
    gone.countDown();
  }

  /** Waits until nothing is left; false when that takes longer. */
  final boolean awaitGone(Duration limit) throws InterruptedException {
    return gone.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }
}

package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.shim.Shim;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A sandbox that a shim keeps. */
final class Box extends Entry {
  /** What is told of a sandbox whose shim died. */
  private static final int UNKNOWN_EXIT = 255;

  private final String runtime;
  private final CountDownLatch lost = new CountDownLatch(1);
  private volatile @Nullable Shim shim;
  private volatile Instant lostAt = Instant.MAX;

  Box(Bundle bundle, String runtime) {
    super(bundle);
    this.runtime = runtime;
  }

  String runtime() {
    return runtime;
  }

  void attach(Shim connection) {
    shim = connection;
  }

  /** The connection; there is one as soon as the sandbox lives. */
  @Nullable Shim shim() {
    return shim;
  }

  void lost() {
    lostAt = Instant.now();
    lost.countDown();
  }

  /** Waits until the connection has ended; false when that takes longer. */
  boolean awaitLost(Duration limit) throws InterruptedException {
    return lost.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** How a sandbox ended whose shim can tell it no more. */
  SandboxController.End endOfLost() {
    return new SandboxController.End(
        UNKNOWN_EXIT, lostAt.equals(Instant.MAX) ? Instant.now() : lostAt);
  }
}

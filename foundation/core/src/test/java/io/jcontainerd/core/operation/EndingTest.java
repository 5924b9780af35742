package io.jcontainerd.core.operation;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.operation.Operations.Changed;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class EndingTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final OperationRegistry registry = new OperationRegistry();
  private final CountDownLatch gate = new CountDownLatch(1);

  /** As a system call does, whatever interrupts. */
  private void hang() {
    while (gate.getCount() > 0) {
      boolean _ = Thread.interrupted();
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void an_operation_tells_which_thread_it_cannot_get_rid_of() throws Exception {
    Thread hanging = Thread.ofPlatform().name("extract-1").daemon(true).start(this::hang);
    var interrupted = new AtomicBoolean();
    try (Operations.Watch watch = registry.watch(List.of())) {
      Thread unpacking =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (RunningOperation unpack = registry.begin("unpack", "default", "layer")) {
                      boolean _ =
                          unpack.call(
                              () -> {
                                Ending.await(hanging);
                                return true;
                              });
                      interrupted.set(Thread.currentThread().isInterrupted());
                    }
                  });
      unpacking.interrupt();
      Operation told;
      do {
        told = watch.next(LONG).map(Changed::operation).orElseThrow();
      } while (!told.stage().equals("end"));
      assertThat(told.waitsFor()).isEqualTo("thread extract-1, which was told to end");
      assertThat(unpacking.isAlive()).isTrue();
      gate.countDown();
      assertThat(unpacking.join(LONG)).isTrue();
    }
    assertThat(hanging.isAlive()).isFalse();
    assertThat(interrupted).as("the interrupt is kept").isTrue();
  }
}

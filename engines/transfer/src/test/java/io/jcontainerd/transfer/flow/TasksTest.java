package io.jcontainerd.transfer.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.Operations.Changed;
import io.jcontainerd.core.operation.RunningOperation;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pieces of one work. */
@Timeout(120)
class TasksTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  @Test
  void pieces_that_do_not_end_are_told_of_by_the_operation_they_belong_to() throws Exception {
    var registry = new OperationRegistry();
    var begun = new CountDownLatch(1);
    var gate = new CountDownLatch(1);
    try (var watch = registry.watch(List.of())) {
      Thread pulling =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (RunningOperation pull = registry.begin("pull", "default", "alpine")) {
                      boolean _ =
                          pull.call(
                              () -> {
                                try (Tasks tasks = new Tasks()) {
                                  tasks.begin(() -> hang(begun, gate));
                                  begun.await();
                                }
                                return true;
                              });
                    } catch (InterruptedException e) {
                      throw new AssertionError(e);
                    }
                  });
      Operation told;
      do {
        told = watch.next(LONG).map(Changed::operation).orElseThrow();
      } while (!told.stage().equals("end"));
      assertThat(told.waitsFor()).isEqualTo("parts of it that were told to end");
      gate.countDown();
      assertThat(pulling.join(LONG)).isTrue();
    }
    assertThat(registry.list(List.of(), false)).isEmpty();
  }

  /** As a system call does, whatever interrupts. */
  private static void hang(CountDownLatch begun, CountDownLatch gate) {
    begun.countDown();
    while (gate.getCount() > 0) {
      boolean _ = Thread.interrupted();
      LockSupport.parkNanos(1_000_000);
    }
  }
}

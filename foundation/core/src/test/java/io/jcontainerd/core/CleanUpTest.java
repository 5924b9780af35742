package io.jcontainerd.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.NotFoundException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class CleanUpTest {
  @Test
  void an_interrupt_that_comes_meanwhile_does_not_end_the_steps_and_is_given_back() {
    Thread caller = Thread.currentThread();
    var told = new AtomicReference<>("");
    Call.in("here")
        .run(
            () ->
                CleanUp.apart(
                    () -> {
                      caller.interrupt();
                      try {
                        assertThat(new CountDownLatch(1).await(50, TimeUnit.MILLISECONDS))
                            .isFalse();
                        told.set(Call.currentNamespace());
                      } catch (InterruptedException e) {
                        told.set("interrupted");
                      }
                    }));
    assertThat(told).hasValue("here");
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void an_interrupt_from_before_is_given_back() {
    Thread.currentThread().interrupt();
    CleanUp.run(() -> assertThat(Thread.currentThread().isInterrupted()).isFalse());
    CleanUp.apart(() -> assertThat(Thread.currentThread().isInterrupted()).isFalse());
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void a_failure_is_the_callers() {
    assertThatThrownBy(
            () ->
                CleanUp.apart(
                    () -> {
                      throw new NotFoundException("x");
                    }))
        .isInstanceOf(NotFoundException.class);
  }
}

package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SharedSyncTest {
  private static final Duration LONG = Duration.ofSeconds(25);
  private static final Duration SHORT = Duration.ofMillis(20);

  private static SharedSync shared(SharedSync.Action action) {
    return new SharedSync("a disk", LONG, action);
  }

  @Test
  void whoever_comes_during_one_waits_for_the_next_and_shares_it() throws Exception {
    var runs = new AtomicInteger();
    var began = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    SharedSync sync =
        shared(
            () -> {
              if (runs.incrementAndGet() == 1) {
                began.countDown();
                await(release);
              }
            });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Boolean> one =
          () -> {
            sync.run(LONG);
            return true;
          };
      Future<Boolean> first = threads.submit(one);
      began.await();
      var entered = new CountDownLatch(10);
      var others = new ArrayList<Future<Boolean>>();
      for (int i = 0; i < 10; i++) {
        others.add(
            threads.submit(
                () -> {
                  entered.countDown();
                  return one.call();
                }));
      }
      entered.await();
      assertThat(others).noneMatch(Future::isDone);
      release.countDown();
      assertThat(first.get()).isTrue();
      for (Future<Boolean> other : others) {
        assertThat(other.get()).isTrue();
      }
    }
    // A thread may enter only after the second began, and then needs a third.
    assertThat(runs.get()).isBetween(2, 11);
  }

  @Test
  void a_failure_is_told_and_the_next_one_tries_again() throws Exception {
    var runs = new AtomicInteger();
    SharedSync sync =
        shared(
            () -> {
              if (runs.incrementAndGet() == 1) {
                throw new IOException("input/output error");
              }
            });
    assertThatThrownBy(() -> sync.run(LONG)).hasMessage("input/output error");
    sync.run(LONG);
    assertThat(runs.get()).isEqualTo(2);
  }

  @Test
  void whoever_waits_for_another_can_be_cancelled() throws Exception {
    var began = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    SharedSync sync =
        shared(
            () -> {
              began.countDown();
              await(release);
            });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Boolean> one =
          () -> {
            sync.run(LONG);
            return Thread.currentThread().isInterrupted();
          };
      Future<Boolean> first = threads.submit(one);
      began.await();
      var cancelled = new AtomicBoolean();
      Thread waiter =
          Thread.ofVirtual()
              .start(
                  () -> {
                    Thread.currentThread().interrupt();
                    assertThatThrownBy(() -> sync.run(LONG)).isInstanceOf(CancelledException.class);
                    cancelled.set(Thread.currentThread().isInterrupted());
                  });
      waiter.join();
      assertThat(cancelled).isTrue();
      assertThat(first.isDone()).isFalse();
      release.countDown();
      assertThat(first.get()).isFalse();
    }
  }

  @Test
  void closing_waits_for_the_one_that_runs_and_none_begins_after_it() throws Exception {
    var began = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var runs = new AtomicInteger();
    SharedSync sync =
        shared(
            () -> {
              began.countDown();
              await(release);
              runs.incrementAndGet();
            });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first =
          threads.submit(
              () -> {
                sync.run(LONG);
                return true;
              });
      began.await();
      Future<Integer> closing =
          threads.submit(
              () -> {
                assertThat(sync.close(LONG)).isTrue();
                return runs.get();
              });
      release.countDown();
      assertThat(closing.get()).isEqualTo(1);
      assertThat(first.get()).isTrue();
    }
    assertThatThrownBy(() -> sync.run(LONG)).isInstanceOf(UnavailableException.class);
    assertThat(runs).hasValue(1);
    assertThat(sync.close(LONG)).isTrue();
  }

  /** One that hangs until the gate opens; every later one is done at once. */
  private static SharedSync.Action hanging(CountDownLatch began, CountDownLatch gate) {
    return () -> {
      began.countDown();
      await(gate);
    };
  }

  private static Callable<Boolean> running(SharedSync sync) {
    return () -> {
      sync.run(LONG);
      return true;
    };
  }

  @Test
  void whoever_has_no_more_time_does_not_wait_for_one_that_hangs() throws Exception {
    var began = new CountDownLatch(1);
    var gate = new CountDownLatch(1);
    SharedSync sync = shared(hanging(began, gate));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first = threads.submit(running(sync));
      began.await();
      assertThatThrownBy(() -> sync.run(SHORT))
          .isInstanceOf(DeadlineExceededException.class)
          .hasMessageMatching(
              "synchronising a disk: the one that others wait for is under way for [0-9]+ s");
      assertThat(first.isDone()).isFalse();
      gate.countDown();
      assertThat(first.get()).isTrue();
      sync.run(SHORT);
    }
  }

  @Test
  void nobody_waits_for_one_that_takes_longer_than_any_may() throws Exception {
    var began = new CountDownLatch(1);
    var gate = new CountDownLatch(1);
    SharedSync sync = new SharedSync("a disk", SHORT, hanging(began, gate));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first = threads.submit(running(sync));
      began.await();
      assertThatThrownBy(() -> sync.run(LONG)).isInstanceOf(DeadlineExceededException.class);
      gate.countDown();
      assertThat(first.get()).isTrue();
    }
  }

  @Test
  void closing_does_not_wait_for_ever_for_one_that_hangs() throws Exception {
    var began = new CountDownLatch(1);
    var gate = new CountDownLatch(1);
    SharedSync sync = shared(hanging(began, gate));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first = threads.submit(running(sync));
      began.await();
      assertThat(sync.close(SHORT)).isFalse();
      gate.countDown();
      assertThat(first.get()).isTrue();
    }
    assertThat(sync.close(SHORT)).isTrue();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.UnavailableException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SharedSyncTest {
  @Test
  void whoever_comes_during_one_waits_for_the_next_and_shares_it() throws Exception {
    var runs = new AtomicInteger();
    var began = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var sync =
        new SharedSync(
            () -> {
              if (runs.incrementAndGet() == 1) {
                began.countDown();
                await(release);
              }
            });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Boolean> one =
          () -> {
            sync.run();
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
    var sync =
        new SharedSync(
            () -> {
              if (runs.incrementAndGet() == 1) {
                throw new IOException("input/output error");
              }
            });
    assertThatThrownBy(sync::run).hasMessage("input/output error");
    sync.run();
    assertThat(runs.get()).isEqualTo(2);
  }

  @Test
  void whoever_waits_for_another_can_be_cancelled() throws Exception {
    var began = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var sync =
        new SharedSync(
            () -> {
              began.countDown();
              await(release);
            });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Boolean> one =
          () -> {
            sync.run();
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
                    assertThatThrownBy(sync::run).isInstanceOf(CancelledException.class);
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
    var sync =
        new SharedSync(
            () -> {
              began.countDown();
              await(release);
              runs.incrementAndGet();
            });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Boolean> first =
          threads.submit(
              () -> {
                sync.run();
                return true;
              });
      began.await();
      Future<Integer> closing =
          threads.submit(
              () -> {
                sync.close();
                return runs.get();
              });
      release.countDown();
      assertThat(closing.get()).isEqualTo(1);
      assertThat(first.get()).isTrue();
    }
    assertThatThrownBy(sync::run).isInstanceOf(UnavailableException.class);
    assertThat(runs).hasValue(1);
    sync.close();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

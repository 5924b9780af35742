package io.jcontainerd.transfer.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.NoSpaceException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Work that several want, of which some fail. */
@Timeout(60)
class FlightsTest {
  private final Flights<String, String> flights = new Flights<>();
  private final List<String> tried = new CopyOnWriteArrayList<>();
  private final CountDownLatch gate = new CountDownLatch(1);

  private Flights.Work<String> work(String owner, RuntimeException... failure) {
    return _ -> {
      tried.add(owner);
      gate.await();
      for (RuntimeException e : failure) {
        throw e;
      }
    };
  }

  private Flights<String, String>.Seat seat(String owner, RuntimeException... failure) {
    return Call.in("test")
        .call(() -> flights.join("work", owner, _ -> {}, () -> work(owner, failure)));
  }

  private static void await(Flights<String, String>.Seat seat) throws Exception {
    FutureTask<Void> waiting =
        new FutureTask<>(
            () -> {
              seat.await();
              return null;
            });
    Call.in("test").run(waiting);
    waiting.get();
  }

  @Test
  void a_failure_is_only_that_of_its_owner() throws Exception {
    try (var bad = seat("bad", new UnavailableException("down"));
        var alsoBad = seat("bad", new UnavailableException("down"));
        var good = seat("good")) {
      gate.countDown();
      assertThatThrownBy(() -> await(bad)).hasRootCauseMessage("down");
      assertThatThrownBy(() -> await(alsoBad)).hasRootCauseMessage("down");
      await(good);
    }
    assertThat(tried).containsExactly("bad", "good");
    assertThat(flights.size()).isZero();
  }

  @Test
  void work_that_does_not_end_keeps_neither_who_leaves_nor_who_comes() throws Exception {
    var hurried = new Flights<String, String>(Duration.ofMillis(20));
    var begun = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    Flights.Work<String> hanging =
        _ -> {
          begun.countDown();
          while (gate.getCount() > 0) { // as a system call does, whatever interrupts
            boolean _ = Thread.interrupted();
            LockSupport.parkNanos(1_000_000);
          }
          ended.countDown();
        };
    var first = Call.in("test").call(() -> hurried.join("work", "first", _ -> {}, () -> hanging));
    begun.await();
    first.close();
    assertThat(ended.getCount()).as("it goes on").isEqualTo(1);
    try (var second =
        Call.in("test")
            .call(() -> hurried.join("work", "second", _ -> {}, () -> _ -> tried.add("second")))) {
      await(second);
    }
    assertThat(tried).containsExactly("second");
    gate.countDown();
    ended.await();
    assertThat(hurried.size()).isZero();
  }

  @Test
  void after_some_failures_of_others_each_works_alone() throws Exception {
    List<Flights<String, String>.Seat> bad = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      bad.add(seat("bad " + i, new UnavailableException("down " + i)));
    }
    try (var good = seat("good")) {
      gate.countDown();
      for (int i = 0; i < 5; i++) {
        try (var seat = bad.get(i)) {
          String own = "down " + i;
          assertThatThrownBy(() -> await(seat)).hasRootCauseMessage(own);
        }
      }
      await(good);
    }
    assertThat(tried).as("nobody more than once").doesNotHaveDuplicates().contains("good");
    assertThat(flights.size()).isZero();
  }

  @Test
  void a_full_disk_is_everybodys() {
    RuntimeException full = new ResourceExhaustedException("full", new NoSpaceException("blob"));
    try (var first = seat("first", full);
        var second = seat("second")) {
      gate.countDown();
      assertThatThrownBy(() -> await(first)).hasCause(full);
      assertThatThrownBy(() -> await(second)).hasCause(full);
    }
    assertThat(tried).containsExactly("first");
  }

  @Test
  void a_limit_that_one_passed_is_not_everybodys() throws Exception {
    RuntimeException limit = new ResourceExhaustedException("too much", new IOException("limit"));
    try (var first = seat("first", limit);
        var second = seat("second")) {
      gate.countDown();
      assertThatThrownBy(() -> await(first)).hasCause(limit);
      await(second);
    }
    assertThat(tried).containsExactly("first", "second");
  }

  @Test
  void too_many_requests_of_one_are_not_those_of_another() throws Exception {
    try (var first = seat("first", new ResourceExhaustedException("slow down"));
        var second = seat("second")) {
      gate.countDown();
      assertThatThrownBy(() -> await(first)).hasRootCauseMessage("slow down");
      await(second);
    }
    assertThat(tried).containsExactly("first", "second");
  }
}

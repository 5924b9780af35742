package io.jcontainerd.core.operation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.OutOfRangeException;
import io.jcontainerd.core.operation.Operations.Change;
import io.jcontainerd.core.operation.Operations.Changed;
import io.jcontainerd.core.operation.Operations.Watch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class OperationRegistryTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final OperationRegistry registry = new OperationRegistry();

  @Test
  void what_goes_on_is_listed_with_its_stage_and_what_it_waits_for() {
    try (RunningOperation create =
        Owner.call("ctr", () -> registry.begin("create", "default", "web"))) {
      create.stage("bundle");
      create.stage("shim", "the start of a shim");
      Operation shown = registry.list(List.of(), false).getFirst();
      assertThat(shown.kind()).isEqualTo("create");
      assertThat(shown.namespace()).isEqualTo("default");
      assertThat(shown.key()).isEqualTo("web");
      assertThat(shown.stage()).isEqualTo("shim");
      assertThat(shown.waitsFor()).isEqualTo("the start of a shim");
      assertThat(shown.owner()).isEqualTo("ctr");
      assertThat(shown.stageSince()).isAfterOrEqualTo(shown.since());
      assertThat(shown.outcome()).isEmpty();
    }
    assertThat(registry.list(List.of(), false)).isEmpty();
  }

  @Test
  void filters_choose_by_what_an_operation_is_about() {
    try (RunningOperation one = registry.begin("create", "a", "web");
        RunningOperation two = registry.begin("pull", "b", "alpine")) {
      assertThat(ids("kind==pull")).containsExactly(two.id());
      assertThat(ids("namespace==a", "key==alpine")).containsExactly(one.id(), two.id());
      assertThat(ids("stage==shim")).isEmpty();
    }
  }

  private List<String> ids(String... filters) {
    return registry.list(List.of(filters), false).stream().map(Operation::id).toList();
  }

  @Test
  void one_that_has_ended_is_still_known_with_its_outcome() {
    RunningOperation good = registry.begin("gc", "", "");
    good.close();
    RunningOperation bad = registry.begin("start", "a", "web");
    bad.failed(new NotFoundException("task web"));
    bad.close();
    assertThat(registry.get(good.id(), false).outcome()).contains(Operation.DONE);
    assertThat(registry.get(bad.id(), true).outcome()).contains("task web");
    assertThatThrownBy(() -> registry.get("x-1", false)).isInstanceOf(NotFoundException.class);
  }

  private static void until(BooleanSupplier condition) {
    long begun = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - begun).as("time").isLessThan(LONG.toNanos());
      Thread.onSpinWait();
    }
  }

  @Test
  void whoever_joins_waits_for_the_end_and_no_longer_than_it_wants() throws Exception {
    RunningOperation pull = registry.begin("pull", "a", "alpine");
    assertThat(registry.join(pull.id(), Duration.ofMillis(1)).outcome()).isEmpty();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Operation> joining = threads.submit(() -> registry.join(pull.id(), LONG));
      until(() -> registry.get(pull.id(), false).joined() >= 2);
      pull.close();
      assertThat(joining.get().outcome()).contains(Operation.DONE);
    }
  }

  @Test
  void one_is_cancelled_once_and_only_if_it_says_how() {
    var cancels = new AtomicInteger();
    try (RunningOperation create = registry.begin("create", "a", "web")) {
      assertThatThrownBy(() -> registry.cancel(create.id()))
          .isInstanceOf(FailedPreconditionException.class);
      create.cancelledBy(cancels::incrementAndGet);
      registry.cancel(create.id());
      registry.cancel(create.id());
      assertThat(cancels).hasValue(1);
      assertThat(create.isCancelled()).isTrue();
      create.cancelledBy(cancels::incrementAndGet);
      assertThat(cancels).as("what it does next is cancelled at once").hasValue(2);
    }
    assertThatThrownBy(() -> registry.cancel("x-1")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void one_that_is_stuck_when_looked_at_holds_up_nobody() {
    var release = new CountDownLatch(1);
    try (RunningOperation stuck = registry.begin("create", "a", "stuck");
        RunningOperation well = registry.begin("create", "a", "well")) {
      stuck.lookedAtBy(
          (seen, _) -> {
            try {
              release.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return seen;
          });
      well.lookedAtBy((seen, _) -> seen.within("runtime create", "crun create", seen.since()));
      // on a busy machine even one that is well may not be seen in time
      until(
          () ->
              registry.list(List.of(), true).stream()
                  .map(Operation::stage)
                  .toList()
                  .equals(List.of("begin", "runtime create")));
    } finally {
      release.countDown();
    }
  }

  private record Machine(int number) {}

  @Test
  void what_all_need_that_are_looked_at_is_searched_once_a_look() {
    var searches = new AtomicInteger();
    List<RunningOperation> all = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      RunningOperation one = registry.begin("create", "a", "c" + i);
      one.lookedAtBy(
          (seen, glance) -> {
            try {
              Machine machine =
                  glance.once(Machine.class, () -> new Machine(searches.incrementAndGet()));
              return seen.within("look " + machine.number(), "", seen.since());
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
              return seen;
            }
          });
      all.add(one);
    }
    for (int time = 0; time < 2; time++) {
      // on a busy machine some may not be seen in time
      until(() -> allSawTheSame(searches.get() + 1));
    }
    all.forEach(RunningOperation::close);
  }

  private boolean allSawTheSame(int number) {
    List<Operation> shown = registry.list(List.of(), true);
    return shown.size() == 50
        && shown.stream().allMatch(operation -> operation.stage().equals("look " + number));
  }

  @Test
  void a_watch_shows_what_goes_on_and_then_every_change() throws Exception {
    RunningOperation before = registry.begin("create", "a", "web");
    List<String> seen = new ArrayList<>();
    try (Watch watch = registry.watch(List.of("namespace==a"))) {
      before.stage("shim");
      registry.begin("create", "b", "other").close();
      before.close();
      for (int i = 0; i < 3; i++) {
        Changed changed = watch.next(LONG).orElseThrow();
        seen.add(changed.change() + " " + changed.operation().stage());
        if (changed.change() == Change.ENDED) {
          assertThat(changed.operation().outcome()).contains(Operation.DONE);
        }
      }
      assertThat(watch.next(Duration.ZERO)).isEqualTo(Optional.empty());
    }
    assertThat(seen).containsExactly("BEGUN begin", "MOVED shim", "ENDED shim");
  }

  @Test
  void a_watcher_that_does_not_look_is_told_that_it_missed_something() {
    try (Watch watch = registry.watch(List.of());
        RunningOperation busy = registry.begin("gc", "", "")) {
      for (int i = 0; i < 5000; i++) {
        busy.stage("mark");
      }
      assertThatThrownBy(() -> watch.next(Duration.ZERO)).isInstanceOf(OutOfRangeException.class);
    }
  }

  @Test
  void code_that_is_deep_inside_tells_the_stage_of_the_operation_it_works_for() {
    RunningOperation.tell("nobody", "listens"); // does nothing
    try (RunningOperation gc = registry.begin("gc", "", "")) {
      boolean _ =
          gc.call(
              () -> {
                RunningOperation.tell("sweep", "a file system");
                return true;
              });
      assertThat(gc.doing()).isEqualTo("sweep, waiting for a file system");
    }
  }

  @Test
  void what_is_over_can_be_cancelled_no_more_and_is_looked_at_no_more() {
    var calls = new AtomicInteger();
    RunningOperation create = registry.begin("create", "a", "web");
    create.cancelledBy(calls::incrementAndGet);
    create.close();
    assertThatThrownBy(() -> registry.cancel(create.id())).isInstanceOf(NotFoundException.class);
    assertThat(create.cancel()).as("by one that found it a moment before").isFalse();
    create.cancelledBy(calls::incrementAndGet);
    assertThat(create.cancel()).isFalse();
    assertThat(calls).hasValue(0);
  }

  @Test
  void the_end_waits_for_a_cancel_that_came_before_it() throws Exception {
    var cancelling = new CountDownLatch(1);
    var release = new CountDownLatch(1);
    var cancelled = new AtomicInteger();
    RunningOperation create = registry.begin("create", "a", "web");
    create.cancelledBy(
        () -> {
          cancelling.countDown();
          try {
            release.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          cancelled.incrementAndGet();
        });
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> cancel = threads.submit(() -> registry.cancel(create.id()));
      cancelling.await();
      Future<Integer> seen =
          threads.submit(
              () -> {
                create.close();
                return cancelled.get();
              });
      assertThat(registry.join(create.id(), Duration.ofMillis(100)).outcome()).isEmpty();
      release.countDown();
      assertThat(seen.get()).as("cancels before the end").isEqualTo(1);
      cancel.get();
    }
  }

  @Test
  void one_that_ends_is_known_at_any_time() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 500; i++) {
        RunningOperation gc = registry.begin("gc", "", "");
        Future<?> ending = threads.submit(gc::close);
        until(() -> registry.get(gc.id(), false).outcome().isPresent());
        ending.get();
      }
    }
  }

  @Test
  void a_watch_that_begins_while_one_ends_shows_nothing_of_it_after_its_end() throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 500; i++) {
        RunningOperation gc = registry.begin("gc", "", "");
        Future<?> ending = threads.submit(gc::close);
        try (Watch watch = registry.watch(List.of())) {
          ending.get();
          Change last = null;
          for (var next = watch.next(Duration.ZERO);
              next.isPresent();
              next = watch.next(Duration.ZERO)) {
            assertThat(last).as("before " + next.get().change()).isNotEqualTo(Change.ENDED);
            last = next.get().change();
          }
        }
      }
    }
  }
}

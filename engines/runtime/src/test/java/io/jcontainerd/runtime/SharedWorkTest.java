package io.jcontainerd.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.testkit.time.Soon;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SharedWorkTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(50);
  private static final SharedWork.Key KEY = new SharedWork.Key("create", "a", "web");
  private static final SharedWork.Manner PATIENT = new SharedWork.Manner(LONG, true, List.of());
  private static final SharedWork.Manner HASTY = new SharedWork.Manner(SHORT, true, List.of());

  private final OperationRegistry registry = new OperationRegistry();
  private final SharedWork shared = new SharedWork(registry);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch release = new CountDownLatch(1);
  private final CountDownLatch entered = new CountDownLatch(1);
  private final AtomicInteger runs = new AtomicInteger();
  private final CountDownLatch undone = new CountDownLatch(1);
  private final AtomicInteger cancels = new AtomicInteger();

  @AfterEach
  void stop() {
    release.countDown();
    threads.shutdownNow();
    threads.close();
  }

  /** Answers how often it ran, once it is released. */
  private final class Hanging implements SharedWork.Task<Integer> {
    @Override
    public Integer run(RunningOperation operation) throws InterruptedException {
      int run = runs.incrementAndGet();
      operation.stage("hang", "the test");
      entered.countDown();
      release.await();
      return run;
    }

    @Override
    public void cancel() {
      cancels.incrementAndGet();
    }

    @Override
    public void undo(Integer result) {
      undone.countDown();
    }

    @Override
    public ContainerdException refusal() {
      return new AlreadyExistsException("task web");
    }
  }

  private int run(Object request, SharedWork.Manner manner, Duration limit)
      throws InterruptedException {
    return shared.run(KEY, request, manner, limit, new Hanging());
  }

  /** Work that is under way when nobody waits for it any more. */
  private void abandon(Object request, SharedWork.Manner manner) throws InterruptedException {
    assertThatThrownBy(() -> run(request, manner, SHORT))
        .isInstanceOf(DeadlineExceededException.class);
    entered.await();
  }

  private Operation only() {
    return registry.list(List.of(), false).getFirst();
  }

  @Test
  void an_equal_request_joins_and_gets_the_same_answer() throws Exception {
    Future<Integer> first = threads.submit(() -> run("same", PATIENT, LONG));
    entered.await();
    Future<Integer> second = threads.submit(() -> run("same", PATIENT, LONG));
    Soon.until("two wait", () -> only().joined() >= 2);
    release.countDown();
    assertThat(first.get()).isEqualTo(1);
    assertThat(second.get()).isEqualTo(1);
    // the answer comes a moment before the end
    Soon.until("it has ended", () -> registry.list(List.of(), false).isEmpty());
  }

  @Test
  void a_different_request_is_refused_while_somebody_waits() throws Exception {
    Future<Integer> first = threads.submit(() -> run("one", PATIENT, LONG));
    entered.await();
    assertThatThrownBy(() -> run("two", PATIENT, LONG)).isInstanceOf(AlreadyExistsException.class);
    release.countDown();
    assertThat(first.get()).isEqualTo(1);
  }

  @Test
  void work_outlives_a_caller_whose_time_is_over_and_the_next_one_joins() throws Exception {
    abandon("same", PATIENT);
    assertThatThrownBy(() -> run("same", PATIENT, SHORT))
        .isInstanceOf(DeadlineExceededException.class)
        .hasMessageContaining("hang, waiting for the test");
    Future<Integer> second = threads.submit(() -> run("same", PATIENT, LONG));
    release.countDown();
    assertThat(second.get()).isEqualTo(1);
    assertThat(runs).hasValue(1);
  }

  @Test
  void a_result_that_came_while_nobody_waited_is_kept_for_who_asks_again() throws Exception {
    abandon("same", PATIENT);
    String id = only().id();
    release.countDown();
    assertThat(registry.join(id, LONG).outcome()).contains(Operation.DONE);
    assertThat(run("same", PATIENT, LONG)).isEqualTo(1);
    assertThat(run("same", PATIENT, LONG)).as("it was claimed, so this is another").isEqualTo(2);
  }

  @Test
  void what_nobody_claims_is_undone() throws Exception {
    abandon("same", new SharedWork.Manner(SHORT, false, List.of()));
    release.countDown();
    undone.await();
  }

  @Test
  void abandoned_work_is_cancelled_when_nobody_comes_back() throws Exception {
    abandon("same", HASTY);
    Soon.until("it has ended", () -> registry.list(List.of(), false).isEmpty());
    assertThat(cancels).hasValue(1);
    assertThat(runs).hasValue(1);
  }

  @Test
  void an_interrupted_caller_leaves_and_the_work_goes_on() throws Exception {
    Future<Integer> first = threads.submit(() -> run("same", PATIENT, LONG));
    entered.await();
    assertThat(first.cancel(true)).isTrue();
    Soon.until("nobody waits", () -> only().joined() <= 0);
    Future<Integer> second = threads.submit(() -> run("same", PATIENT, LONG));
    release.countDown();
    assertThat(second.get()).isEqualTo(1);
  }

  @Test
  void a_different_request_ends_abandoned_work_and_takes_its_place() throws Exception {
    abandon("one", PATIENT);
    Future<Integer> second = threads.submit(() -> run("two", PATIENT, LONG));
    Soon.until("it runs again", () -> runs.get() >= 2);
    assertThat(cancels).hasValue(1);
    release.countDown();
    assertThat(second.get()).isEqualTo(2);
  }

  @Test
  void a_different_request_has_an_unclaimed_result_undone_first() throws Exception {
    abandon("one", PATIENT);
    String id = only().id();
    release.countDown();
    assertThat(registry.join(id, LONG).outcome()).contains(Operation.DONE);
    assertThat(run("two", PATIENT, LONG)).isEqualTo(2);
    assertThat(undone.getCount()).isZero();
  }

  @Test
  void work_that_follows_takes_what_was_done_for_claimed() throws Exception {
    abandon("one", PATIENT);
    String id = only().id();
    release.countDown();
    assertThat(registry.join(id, LONG).outcome()).contains(Operation.DONE);
    var start = new SharedWork.Manner(LONG, false, List.of("create"));
    assertThat(shared.run(KEY.of("start"), "", start, LONG, new Hanging())).isEqualTo(2);
    assertThat(shared.asked(KEY)).isEmpty();
    assertThat(undone.getCount()).isEqualTo(1);
  }

  @Test
  void cancelled_from_outside_it_fails_those_who_wait() throws Exception {
    Future<Integer> first = threads.submit(() -> run("same", PATIENT, LONG));
    entered.await();
    registry.cancel(only().id());
    assertThatThrownBy(first::get)
        .isInstanceOf(ExecutionException.class)
        .hasCauseInstanceOf(CancelledException.class);
    assertThat(cancels).hasValue(1);
  }

  @Test
  void a_failure_is_told_to_all_and_not_kept() throws Exception {
    var failing =
        new SharedWork.Task<Integer>() {
          @Override
          public Integer run(RunningOperation operation) {
            throw new UnknownException("no");
          }

          @Override
          public ContainerdException refusal() {
            return new AlreadyExistsException("task web");
          }
        };
    assertThatThrownBy(() -> shared.run(KEY, "x", PATIENT, LONG, failing))
        .isInstanceOf(UnknownException.class);
    release.countDown();
    assertThat(run("x", PATIENT, LONG)).isEqualTo(1);
  }

  @Test
  void the_undo_of_work_that_succeeded_while_it_was_cancelled_is_not_cut_short() throws Exception {
    var undoing = new CountDownLatch(1);
    var never = new CountDownLatch(1);
    var cut = new AtomicBoolean();
    var late =
        new SharedWork.Task<Integer>() {
          @Override
          public Integer run(RunningOperation operation) throws InterruptedException {
            release.await();
            return 1;
          }

          @Override
          public void cancel() throws InterruptedException {
            release.countDown();
            undoing.await(); // what it waits for in a shim ends with the work
          }

          @Override
          public void undo(Integer result) {
            undoing.countDown();
            try {
              assertThat(never.await(300, TimeUnit.MILLISECONDS)).isFalse();
            } catch (InterruptedException e) {
              cut.set(true);
            }
            undone.countDown();
          }

          @Override
          public ContainerdException refusal() {
            return new AlreadyExistsException("task web");
          }
        };
    assertThatThrownBy(() -> shared.run(KEY, "same", HASTY, SHORT, late))
        .isInstanceOf(DeadlineExceededException.class);
    undone.await();
    assertThat(cut).isFalse();
  }

  /** Fails as it is told, once it is released or interrupted. */
  private SharedWork.Task<Integer> failing(RuntimeException reason) {
    return new SharedWork.Task<>() {
      @Override
      public Integer run(RunningOperation operation) {
        entered.countDown();
        try {
          release.await();
        } catch (InterruptedException e) {
          throw reason;
        }
        throw reason;
      }

      @Override
      public ContainerdException refusal() {
        return new AlreadyExistsException("task web");
      }
    };
  }

  @Test
  void a_bug_of_the_work_is_told_as_one() {
    release.countDown();
    var bug = new IllegalStateException("no such state");
    assertThatThrownBy(() -> shared.run(KEY, "x", PATIENT, LONG, failing(bug)))
        .isInstanceOf(InternalException.class)
        .hasCause(bug);
  }

  @Test
  void cancelled_work_is_told_to_be_cancelled_however_it_fails() throws Exception {
    var broken = new UnavailableException("the connection went with it");
    Future<Integer> first =
        threads.submit(() -> shared.run(KEY, "x", PATIENT, LONG, failing(broken)));
    entered.await();
    registry.cancel(only().id());
    assertThatThrownBy(first::get).cause().isInstanceOf(CancelledException.class).hasCause(broken);
  }
}

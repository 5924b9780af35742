package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import io.jcontainerd.testkit.tasks.TaskEvent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What happens at the same time, again and again: 20 times, or as often as the property {@code
 * races} says.
 */
@Timeout(3600)
public abstract class TaskRaceContract extends TaskCases {
  /** For subclasses. */
  protected TaskRaceContract() {}

  /** One of two that exclude each other: whether it succeeded; failing it may in one way only. */
  private static boolean succeeded(
      FutureTask<?> attempt, Class<? extends ContainerdException> otherwise)
      throws InterruptedException {
    try {
      Object answer = TaskDriver.outcome(attempt);
      assertThat(answer).isNotNull();
      return true;
    } catch (ContainerdException e) {
      assertThat(e).isInstanceOf(otherwise);
      return false;
    }
  }

  @Test
  void a_process_that_ends_at_once_is_told_to_have_started_before() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.running("true");
      Exit _ = box.await();
      Exit _ = box.delete();
      assertThat(kinds(told(box, kind("delete"))))
          .containsExactly("create", "start", "exit", "delete");
    }
  }

  @Test
  void an_exec_that_ends_at_once_is_told_to_have_started_before() throws Exception {
    Box box = driver.running("sleep", "1000");
    List<String> expected = new ArrayList<>(List.of("create", "start"));
    for (int i = 0; i < RACES; i++) {
      assertThat(box.run("true")).isZero();
      expected.addAll(List.of("exec-added", "exec-started", "exit"));
    }
    Exit _ = box.end();
    expected.addAll(List.of("exit", "delete"));
    assertThat(kinds(told(box, kind("delete")))).isEqualTo(expected);
  }

  @Test
  void a_kill_beside_the_end_finds_it_or_does_not() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.running("usleep", Integer.toString(i % 20 * 500));
      FutureTask<Boolean> kill =
          TaskDriver.begin(
              () -> {
                box.kill(KILL);
                return true;
              });
      Exit exit = box.await();
      boolean hit = succeeded(kill, NotFoundException.class);
      assertThat(exit.status()).isIn(0, 137);
      assertThat(hit || exit.status() == 0).isTrue();
      assertThat(box.delete().status()).isEqualTo(exit.status());
      assertThat(kinds(told(box, kind("delete"))))
          .containsExactly("create", "start", "exit", "delete");
    }
  }

  @Test
  void a_kill_beside_the_start_ends_it_once() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.box("sleep", "1000");
      int _ = box.create(NONE);
      FutureTask<Boolean> kill =
          TaskDriver.begin(
              () -> {
                box.kill(KILL);
                return true;
              });
      FutureTask<Integer> start = TaskDriver.begin(box::start);
      assertThat(succeeded(kill, NotFoundException.class)).isTrue();
      boolean started = succeeded(start, ContainerdException.class);
      assertThat(box.await().status()).isEqualTo(137);
      Exit _ = box.delete();
      List<String> told = kinds(told(box, kind("delete")));
      assertThat(told.stream().filter("exit"::equals)).hasSize(1);
      if (started) {
        assertThat(told).containsExactly("create", "start", "exit", "delete");
      }
    }
  }

  @Test
  void of_two_deletions_one_succeeds_with_the_status() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.running("sh", "-c", "exit 8");
      Exit _ = box.await();
      List<FutureTask<Exit>> both =
          List.of(TaskDriver.begin(box::delete), TaskDriver.begin(box::delete));
      int statuses = 0;
      for (FutureTask<Exit> one : both) {
        if (succeeded(one, NotFoundException.class)) {
          assertThat(TaskDriver.outcome(one).status()).isEqualTo(8);
          statuses++;
        }
      }
      assertThat(statuses).isPositive();
      assertThat(kinds(told(box, kind("delete"))).stream().filter("delete"::equals)).hasSize(1);
    }
  }

  /** The other is refused, or was an equal request and is answered like the one it joined. */
  @Test
  void of_two_creations_one_succeeds() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.box("sleep", "1000");
      List<FutureTask<Integer>> both =
          List.of(
              TaskDriver.begin(() -> box.create(NONE)), TaskDriver.begin(() -> box.create(NONE)));
      Set<Integer> pids = new HashSet<>();
      for (FutureTask<Integer> one : both) {
        if (succeeded(one, AlreadyExistsException.class)) {
          pids.add(TaskDriver.outcome(one));
        }
      }
      assertThat(pids).hasSize(1);
      assertThat(kinds(told(box, kind("create"))).stream().filter("create"::equals)).hasSize(1);
      assertThat(box.status()).isEqualTo(TaskStatus.CREATED);
      Exit _ = box.delete();
    }
  }

  /** As of two creations. */
  @Test
  void of_two_execs_of_a_name_one_is_added() throws Exception {
    Box box = driver.running("sleep", "1000");
    for (int i = 0; i < RACES; i++) {
      String execId = "e" + i;
      List<FutureTask<Boolean>> both = new ArrayList<>();
      for (int side = 0; side < 2; side++) {
        both.add(
            TaskDriver.begin(
                () -> {
                  box.exec(execId, NONE, "true");
                  return true;
                }));
      }
      int added = 0;
      for (FutureTask<Boolean> one : both) {
        added += succeeded(one, AlreadyExistsException.class) ? 1 : 0;
      }
      assertThat(added).isPositive();
      assertThatThrownBy(() -> box.exec(execId, NONE, "true"))
          .isInstanceOf(AlreadyExistsException.class);
      List<TaskEvent> told =
          told(box, e -> e.kind().equals("exec-added") && e.execId().equals(execId));
      assertThat(told.stream().filter(e -> e.execId().equals(execId))).hasSize(1);
      Exit _ = box.delete(execId);
    }
  }

  @Test
  void an_exec_that_starts_beside_the_end_is_told_before_it_or_refused() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.running("sleep", "1000");
      box.exec("e", NONE, "sleep", "1000");
      FutureTask<Integer> start = TaskDriver.begin(() -> box.start("e"));
      TimeUnit.MICROSECONDS.sleep(i % 20 * 100L);
      box.kill(KILL);
      boolean started = succeeded(start, ContainerdException.class);
      assertThat(box.await().status()).isEqualTo(137);
      List<TaskEvent> told = told(box, e -> e.kind().equals("exit") && e.execId().isEmpty());
      assertThat(told.getLast().execId()).as("the last end is the task's").isEmpty();
      assertThat(kinds(told).contains("exec-started")).isEqualTo(started);
      if (started) {
        assertThat(kinds(told))
            .containsExactly("create", "start", "exec-added", "exec-started", "exit", "exit");
      }
      Exit _ = box.delete();
    }
  }

  @Test
  void waits_that_begin_beside_the_end_are_answered_alike() throws Exception {
    for (int i = 0; i < RACES; i++) {
      Box box = driver.running("sh", "-c", "exit 11");
      FutureTask<Exit> one = box.waiting("");
      FutureTask<Exit> other = box.waiting("");
      assertThat(TaskDriver.outcome(one)).isEqualTo(TaskDriver.outcome(other));
      assertThat(TaskDriver.outcome(one).status()).isEqualTo(11);
      assertThat(box.delete().status()).isEqualTo(11);
    }
  }

  @Test
  void names_are_free_as_soon_as_the_deletion_is_answered() throws Exception {
    Box box = driver.box("true");
    for (int i = 0; i < RACES; i++) {
      int _ = box.create(NONE);
      int _ = box.start();
      assertThat(box.await().status()).isZero();
      assertThat(box.delete().status()).isZero();
    }
  }
}

package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import io.jcontainerd.testkit.tasks.TaskEvent;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is told of tasks, and in which order. */
public abstract class TaskEventContract extends TaskCases {
  /** For subclasses. */
  protected TaskEventContract() {}

  @Test
  void a_life_is_told_in_its_order() throws Exception {
    Box box = driver.box("sh", "-c", "exit 5");
    int pid = box.create(NONE);
    int _ = box.start();
    Exit exit = box.await();
    Exit _ = box.delete();
    List<TaskEvent> told = told(box, kind("delete"));
    assertThat(kinds(told)).containsExactly("create", "start", "exit", "delete");
    assertThat(told).extracting(TaskEvent::namespace).containsOnly(driver.namespace());
    assertThat(told.get(1).pid()).isEqualTo(pid);
    for (TaskEvent end : told.subList(2, 4)) {
      assertThat(end.pid()).isEqualTo(pid);
      assertThat(end.status()).isEqualTo(5);
      assertThat(end.execId()).isEmpty();
      assertThat(end.exitedAt()).isEqualTo(Optional.of(exit.exitedAt()));
    }
  }

  @Test
  void an_exec_is_told_from_its_addition_to_its_end() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("e", NONE, "sh", "-c", "exit 6");
    int pid = box.start("e");
    Exit exit = box.await("e");
    Exit _ = box.delete("e");
    List<TaskEvent> told = told(box, kind("exit"));
    assertThat(kinds(told))
        .containsExactly("create", "start", "exec-added", "exec-started", "exit");
    assertThat(told.get(2).execId()).isEqualTo("e");
    assertThat(told.get(3).execId()).isEqualTo("e");
    assertThat(told.get(3).pid()).isEqualTo(pid);
    TaskEvent end = told.get(4);
    assertThat(end.execId()).isEqualTo("e");
    assertThat(end.pid()).isEqualTo(pid);
    assertThat(end.status()).isEqualTo(6);
    assertThat(end.exitedAt()).isEqualTo(Optional.of(exit.exitedAt()));
    Exit _ = box.end();
    assertThat(kinds(told(box, kind("delete"))))
        .as("the deletion of the exec is not told")
        .containsExactly("create", "start", "exec-added", "exec-started", "exit", "exit", "delete");
  }

  @Test
  void pauses_are_told() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.pause();
    box.resume();
    assertThat(kinds(told(box, kind("resumed"))))
        .containsExactly("create", "start", "paused", "resumed");
  }

  @Test
  void the_end_of_a_task_is_told_after_those_of_its_execs() throws Exception {
    Box box = driver.running("sleep", "1000");
    for (String execId : List.of("a", "b", "c")) {
      box.exec(execId, NONE, "sleep", "1000");
      int _ = box.start(execId);
    }
    box.kill(KILL);
    Exit _ = box.await();
    List<TaskEvent> ends =
        told(box, e -> e.kind().equals("exit") && e.execId().isEmpty()).stream()
            .filter(kind("exit"))
            .toList();
    assertThat(ends).extracting(TaskEvent::execId).hasSize(4).endsWith("");
    assertThat(ends.subList(0, 3))
        .extracting(TaskEvent::execId)
        .containsExactlyInAnyOrder("a", "b", "c");
    assertThat(ends).extracting(TaskEvent::status).containsOnly(137);
  }

  @Test
  void a_creation_that_fails_is_not_told() throws Exception {
    Box box = driver.box("no-such-program");
    assertThatThrownBy(() -> box.create(NONE)).isInstanceOf(ContainerdException.class);
    Box next = driver.running("true");
    List<TaskEvent> _ = told(next, kind("exit"));
    assertThat(kinds(events.of(driver.namespace(), box.id()))).doesNotContain("create", "start");
  }

  @Test
  void an_exec_that_cannot_start_is_told_as_added_only() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("e", NONE, "no-such-program");
    assertThatThrownBy(() -> box.start("e")).isInstanceOf(ContainerdException.class);
    Exit _ = box.delete("e");
    Exit _ = box.end();
    assertThat(kinds(told(box, kind("delete"))))
        .containsExactly("create", "start", "exec-added", "exit", "delete");
  }

  @Test
  void an_end_before_the_start_is_told_without_one() throws Exception {
    Box box = driver.box("sleep", "1000");
    int _ = box.create(NONE);
    box.kill(KILL);
    Exit _ = box.await();
    Exit _ = box.delete();
    assertThat(kinds(told(box, kind("delete")))).containsExactly("create", "exit", "delete");
  }

  @Test
  void what_is_told_of_two_namespaces_is_told_apart() throws Exception {
    try (var other =
        new io.jcontainerd.testkit.tasks.TaskDriver(subject, namespace() + "-other", root())) {
      Box there = other.running("sh", "-c", "exit 2");
      Exit _ = there.await();
      Exit _ = there.delete();
      List<TaskEvent> told = events.await(other.namespace(), there.id(), kind("delete"));
      assertThat(kinds(told)).containsExactly("create", "start", "exit", "delete");
      assertThat(events.of(driver.namespace(), there.id())).isEmpty();
    }
  }
}

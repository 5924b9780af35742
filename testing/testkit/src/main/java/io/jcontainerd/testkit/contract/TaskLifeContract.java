package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** How a task comes to be, runs, ends and goes. */
public abstract class TaskLifeContract extends TaskCases {
  /** For subclasses. */
  protected TaskLifeContract() {}

  @Test
  void a_created_task_has_a_process_that_does_not_run_yet() throws Exception {
    Streams streams = output();
    Box box = driver.box("echo", "began");
    int pid = box.create(streams.stdio());
    assertThat(pid).isPositive();
    assertThat(isAlive(pid)).isTrue();
    TaskProcess state = box.state();
    assertThat(state.status()).isEqualTo(TaskStatus.CREATED);
    assertThat(state.pid()).isEqualTo(pid);
    assertThat(state.execId()).isEmpty();
    assertThat(streams.out()).isEmpty();
  }

  @Test
  void a_started_task_runs_with_the_pid_it_was_created_with() throws Exception {
    Box box = driver.box("sleep", "1000");
    int pid = box.create(NONE);
    assertThat(box.start()).isEqualTo(pid);
    assertThat(box.state().status()).isEqualTo(TaskStatus.RUNNING);
    assertThat(box.state().pid()).isEqualTo(pid);
  }

  @Test
  void a_process_that_ended_is_stopped_with_its_status_and_time() throws Exception {
    Instant before = Instant.now();
    Box box = driver.running("sh", "-c", "exit 7");
    Exit exit = box.await();
    assertThat(exit.status()).isEqualTo(7);
    assertThat(exit.exitedAt()).isBetween(before.minusSeconds(1), Instant.now().plusSeconds(1));
    TaskProcess state = box.state();
    assertThat(state.status()).isEqualTo(TaskStatus.STOPPED);
    assertThat(state.exitStatus()).isEqualTo(7);
    assertThat(state.exitedAt()).contains(exit.exitedAt());
  }

  @Test
  void a_wait_for_what_has_ended_returns_at_once() throws Exception {
    Box box = driver.running("true");
    Exit first = box.await();
    assertThat(box.await()).isEqualTo(first);
  }

  @Test
  void several_may_wait_before_the_start_and_all_are_told() throws Exception {
    Box box = driver.box("sh", "-c", "exit 3");
    int _ = box.create(NONE);
    List<FutureTask<Exit>> waits = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      waits.add(box.waiting(""));
    }
    int _ = box.start();
    for (FutureTask<Exit> wait : waits) {
      assertThat(TaskDriver.outcome(wait).status()).isEqualTo(3);
    }
  }

  @Test
  void a_deletion_tells_the_end_and_leaves_nothing() throws Exception {
    Box box = driver.box("sh", "-c", "exit 9");
    int pid = box.create(NONE);
    int _ = box.start();
    Exit exit = box.await();
    Exit deleted = box.delete();
    assertThat(deleted.pid()).isEqualTo(pid);
    assertThat(deleted.status()).isEqualTo(9);
    assertThat(deleted.exitedAt()).isEqualTo(exit.exitedAt());
    assertThatThrownBy(box::state).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(box::delete).isInstanceOf(NotFoundException.class);
    assertThat(driver.list()).isEmpty();
  }

  @Test
  void a_running_task_is_not_deleted() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(box::delete)
        .isInstanceOf(ContainerdException.class)
        .isNotInstanceOf(NotFoundException.class)
        .hasMessageContaining("running process");
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void a_task_that_never_started_can_be_deleted() throws Exception {
    Box box = driver.box("sleep", "1000");
    int pid = box.create(NONE);
    Exit _ = box.delete();
    assertThatThrownBy(box::state).isInstanceOf(NotFoundException.class);
    until("process " + pid + " ends", () -> !isAlive(pid));
  }

  @Test
  void a_created_task_can_be_killed_and_then_deleted() throws Exception {
    Box box = driver.box("sleep", "1000");
    int _ = box.create(NONE);
    box.kill(KILL);
    assertThat(box.await().status()).isEqualTo(137);
    assertThat(box.status()).isEqualTo(TaskStatus.STOPPED);
    assertThat(box.delete().status()).isEqualTo(137);
  }

  @Test
  void a_container_has_one_task() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(() -> box.create(NONE)).isInstanceOf(AlreadyExistsException.class);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void the_name_is_free_after_the_deletion() throws Exception {
    Box box = driver.running("true");
    Exit _ = box.await();
    Exit _ = box.delete();
    int _ = box.create(NONE);
    int _ = box.start();
    assertThat(box.await().status()).isZero();
  }

  @Test
  void the_name_is_free_after_a_task_was_given_up_before_its_start() throws Exception {
    Box box = driver.box("true");
    int _ = box.create(NONE);
    Exit _ = box.delete();
    int _ = box.create(NONE);
    int _ = box.start();
    assertThat(box.await().status()).isZero();
  }

  @Test
  void an_unknown_container_is_not_found_whatever_is_asked() {
    String id = TaskDriver.freshId("unknown");
    List<TaskDriver.Asking<Object>> questions =
        List.of(
            t -> t.get(id, ""),
            t -> t.start(id, ""),
            t -> t.delete(id),
            t -> t.waitFor(id, ""),
            t -> t.pids(id),
            t -> answered(() -> t.kill(id, "", KILL, false)),
            t -> answered(() -> t.pause(id)),
            t -> answered(() -> t.resume(id)),
            t -> answered(() -> t.closeStdin(id, "")),
            t -> answered(() -> t.resizePty(id, "", 80, 24)));
    for (TaskDriver.Asking<Object> question : questions) {
      assertThatThrownBy(() -> driver.tasks(question)).isInstanceOf(NotFoundException.class);
    }
  }

  private interface Call {
    void run() throws InterruptedException;
  }

  private static Object answered(Call call) throws InterruptedException {
    call.run();
    return "answered";
  }

  @Test
  void a_container_without_a_task_is_not_found_either() throws Exception {
    Box box = driver.box("true");
    assertThatThrownBy(box::state).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(box::start).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> box.kill(TERM)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_task_is_started_once() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(box::start)
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("running process");
    Exit _ = ended(box);
    assertThatThrownBy(box::start)
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("stopped process");
  }

  private static Exit ended(Box box) throws InterruptedException {
    box.kill(KILL);
    return box.await();
  }

  @Test
  void a_list_has_the_tasks_of_its_namespace() throws Exception {
    Box box = driver.box("sleep", "1000");
    int pid = box.create(NONE);
    int _ = box.start();
    TaskDriver other = new TaskDriver(subject, namespace() + "-other", root());
    try (other) {
      assertThat(other.list()).isEmpty();
      assertThat(driver.list())
          .singleElement()
          .satisfies(
              task -> {
                assertThat(task.containerId()).isEqualTo(box.id());
                assertThat(task.pid()).isEqualTo(pid);
                assertThat(task.status()).isEqualTo(TaskStatus.RUNNING);
              });
    }
  }

  @Test
  void the_same_name_in_two_namespaces_is_two_tasks() throws Exception {
    try (TaskDriver other = new TaskDriver(subject, namespace() + "-other", root())) {
      String id = TaskDriver.freshId("same");
      Box here = driver.named(id, UnaryOperator.identity(), "sleep", "1000");
      Box there = other.named(id, UnaryOperator.identity(), "sh", "-c", "exit 4");
      int pid = here.create(NONE);
      int _ = here.start();
      int _ = there.create(NONE);
      int _ = there.start();
      assertThat(there.await().status()).isEqualTo(4);
      assertThat(there.delete().status()).isEqualTo(4);
      assertThat(here.state().pid()).isEqualTo(pid);
      assertThat(here.status()).isEqualTo(TaskStatus.RUNNING);
    }
  }

  @Test
  void statuses_are_those_of_the_process() throws Exception {
    for (int status : new int[] {0, 1, 126, 255}) {
      assertThat(driver.running("sh", "-c", "exit " + status).await().status()).isEqualTo(status);
    }
  }

  @Test
  void the_end_by_a_signal_is_128_and_its_number() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.kill(KILL);
    assertThat(box.await().status()).isEqualTo(128 + KILL);
  }

  @Test
  void a_program_that_is_not_there_fails_the_creation_with_the_runtimes_words() throws Exception {
    Box box = driver.box("no-such-program");
    assertThatThrownBy(() -> box.create(NONE))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("OCI runtime create failed")
        .hasMessageMatching("(?s).*no-such-program.*(not found|[Nn]o such file).*");
    assertThatThrownBy(box::state).isInstanceOf(NotFoundException.class);
    assertThat(driver.list()).isEmpty();
  }

  @Test
  void a_file_that_is_no_program_fails_the_creation_with_the_runtimes_words() throws Exception {
    Box box = driver.box("/etc/not-a-program");
    assertThatThrownBy(() -> box.create(NONE))
        .isInstanceOf(ContainerdException.class)
        .hasMessageMatching("(?s).*([Pp]ermission denied|is not executable).*");
  }

  @Test
  void a_failed_creation_leaves_the_name_free() throws Exception {
    String id = TaskDriver.freshId("again");
    Box box = driver.named(id, UnaryOperator.identity(), "no-such-program");
    for (int time = 0; time < 2; time++) {
      assertThatThrownBy(() -> box.create(NONE))
          .isInstanceOf(ContainerdException.class)
          .isNotInstanceOf(AlreadyExistsException.class);
    }
  }

  @Test
  void mounts_make_the_root() throws Exception {
    Path tree = Files.createDirectories(folder.resolve("tree"));
    for (String name : List.of("proc", "dev", "tmp", "sys", "bin")) {
      Files.createDirectories(tree.resolve(name));
    }
    Files.copy(Path.of("/usr/bin/busybox"), tree.resolve("bin/sh"));
    Files.writeString(tree.resolve("told"), "by the mount\n");
    Box box =
        driver.box(
            spec -> spec.patch(root -> root.with("path", "rootfs").with("readonly", false), "root"),
            "sh",
            "-c",
            "read line < /told && [ \"$line\" = 'by the mount' ] && : > /written");
    int _ =
        box.create(NONE, List.of(new Mount("bind", tree.toString(), "", List.of("rbind", "rw"))));
    int _ = box.start();
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(tree.resolve("written")).exists();
  }

  @Test
  void environment_folder_user_and_host_name_are_those_of_the_specification() throws Exception {
    Streams streams = output();
    Box box =
        driver.box(
            spec ->
                spec.process(
                    process ->
                        process
                            .with("cwd", "/tmp")
                            .with("user", JsonObject.EMPTY.with("uid", 12).with("gid", 34))
                            .with("env", JsonArray.ofStrings(List.of("PATH=/bin", "A=b c")))),
            "sh",
            "-c",
            "pwd; id -u; id -g; echo $A; cat /proc/sys/kernel/hostname");
    int _ = box.create(streams.stdio());
    int _ = box.start();
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(streams.wholeOut().lines()).containsExactly("/tmp", "12", "34", "b c", "box");
  }

  @Test
  void the_first_process_is_number_one_of_its_namespace() throws Exception {
    assertThat(driver.running("sh", "-c", "[ $$ = 1 ]").await().status()).isZero();
  }

  @Test
  void what_outlives_the_first_process_is_killed() throws Exception {
    Streams streams = all();
    Box box = driver.box("sh", "-c", "sleep 1000 & sleep 1000 & read line");
    int _ = box.create(streams.stdio());
    int _ = box.start();
    until("three processes", () -> count(box) == 3);
    List<Integer> pids =
        driver.tasks(t -> t.pids(box.id())).stream().map(TaskRuntime.Pid::pid).toList();
    streams.type("\n");
    assertThat(box.await().status()).isZero();
    for (int pid : pids) {
      until("process " + pid + " ends", () -> !isAlive(pid));
    }
  }

  private int count(Box box) {
    try {
      return driver.tasks(t -> t.pids(box.id())).size();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void nothing_outlives_the_first_process_without_a_namespace_of_its_own() throws Exception {
    Box box =
        driver.box(
            spec -> spec.withoutNamespace("pid"), "sh", "-c", "sleep 1000 & read line; exit 5");
    Streams streams = all();
    int _ = box.create(streams.stdio());
    int _ = box.start();
    until("two processes or more", () -> count(box) >= 2);
    List<Integer> pids =
        driver.tasks(t -> t.pids(box.id())).stream().map(TaskRuntime.Pid::pid).toList();
    streams.type("\n");
    assertThat(box.await().status()).isEqualTo(5);
    for (int pid : pids) {
      until("process " + pid + " ends", () -> !isAlive(pid));
    }
  }

  @Test
  void twenty_at_once_have_each_their_own_status() throws Exception {
    List<FutureTask<Integer>> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      int status = i;
      all.add(
          TaskDriver.begin(
              () -> {
                Box box = driver.running("sh", "-c", "exit " + status);
                int seen = box.await().status();
                return box.delete().status() == seen ? seen : -1;
              }));
    }
    for (int i = 0; i < 20; i++) {
      assertThat(TaskDriver.outcome(all.get(i))).isEqualTo(i);
    }
  }
}

package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.testkit.tasks.BusyboxRoot;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/** Further processes in a task. */
public abstract class TaskExecContract extends TaskCases {
  /** For subclasses. */
  protected TaskExecContract() {}

  private Box box() throws InterruptedException {
    return driver.running("sleep", "1000");
  }

  @Test
  void an_added_process_does_not_run_before_it_is_started() throws Exception {
    Streams streams = output();
    Box box = box();
    box.exec("e", streams.stdio(), "echo", "began");
    TaskProcess state = box.state("e");
    assertThat(state.status()).isEqualTo(TaskStatus.CREATED);
    assertThat(state.pid()).isZero();
    assertThat(state.execId()).isEqualTo("e");
    assertThat(streams.out()).isEmpty();
  }

  @Test
  void a_started_one_runs_beside_the_first_process() throws Exception {
    Box box = box();
    box.exec("e", NONE, "sleep", "1000");
    int pid = box.start("e");
    assertThat(pid).isPositive().isNotEqualTo(box.state().pid());
    assertThat(box.state("e").status()).isEqualTo(TaskStatus.RUNNING);
    assertThat(box.state("e").pid()).isEqualTo(pid);
    assertThat(isAlive(pid)).isTrue();
  }

  @Test
  void its_end_is_told_and_does_not_end_the_task() throws Exception {
    Box box = box();
    box.exec("e", NONE, "sh", "-c", "exit 6");
    int pid = box.start("e");
    Exit exit = box.await("e");
    assertThat(exit.status()).isEqualTo(6);
    assertThat(box.state("e").status()).isEqualTo(TaskStatus.STOPPED);
    assertThat(box.state("e").exitStatus()).isEqualTo(6);
    Exit deleted = box.delete("e");
    assertThat(deleted.pid()).isEqualTo(pid);
    assertThat(deleted.status()).isEqualTo(6);
    assertThat(deleted.exitedAt()).isEqualTo(exit.exitedAt());
    assertThatThrownBy(() -> box.state("e")).isInstanceOf(NotFoundException.class);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void a_name_is_taken_once() throws Exception {
    Box box = box();
    box.exec("e", NONE, "true");
    assertThatThrownBy(() -> box.exec("e", NONE, "true"))
        .isInstanceOf(AlreadyExistsException.class);
  }

  @Test
  void a_name_is_free_after_the_deletion() throws Exception {
    Box box = box();
    for (int status = 0; status < 3; status++) {
      box.exec("e", NONE, "sh", "-c", "exit " + status);
      int _ = box.start("e");
      assertThat(box.await("e").status()).isEqualTo(status);
      assertThat(box.delete("e").status()).isEqualTo(status);
    }
  }

  @Test
  void a_name_that_is_none_is_refused() throws Exception {
    Box box = box();
    for (String name : List.of("", "a b", "../e", "e/", "-e", "e".repeat(77))) {
      assertThatThrownBy(() -> box.exec(name, NONE, "true"))
          .as("exec id «%s»", name)
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void an_unknown_one_is_not_found_whatever_is_asked() throws Exception {
    Box box = box();
    assertThatThrownBy(() -> box.state("none")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> box.start("none")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> box.delete("none")).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> box.kill("none", KILL, false)).isInstanceOf(NotFoundException.class);
    assertThatThrownBy(() -> box.await("none")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_container_without_a_task_gets_none() throws Exception {
    Box box = driver.box("true");
    assertThatThrownBy(() -> box.exec("e", NONE, "true")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_stopped_task_gets_none() throws Exception {
    Box box = driver.running("true");
    Exit _ = box.await();
    assertThatThrownBy(() -> box.exec("e", NONE, "true"))
        .isInstanceOf(ContainerdException.class)
        .isNotInstanceOf(NotFoundException.class)
        .hasMessageContaining("stopped");
  }

  @Test
  void one_that_was_added_before_the_task_stopped_does_not_start() throws Exception {
    Box box = box();
    box.exec("e", NONE, "true");
    box.kill(KILL);
    Exit _ = box.await();
    assertThatThrownBy(() -> box.start("e"))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("not running");
  }

  @Test
  void a_paused_task_gets_none() throws Exception {
    Box box = box();
    box.pause();
    assertThatThrownBy(() -> box.exec("e", NONE, "true"))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("paused");
    box.resume();
    assertThat(box.run("true")).isZero();
  }

  @Test
  void a_program_that_is_not_there_fails_the_start_with_the_runtimes_words() throws Exception {
    Box box = box();
    box.exec("e", NONE, "no-such-program");
    assertThatThrownBy(() -> box.start("e"))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("OCI runtime exec failed")
        .hasMessageMatching("(?s).*no-such-program.*(not found|[Nn]o such file).*");
    Exit _ = box.delete("e");
    assertThatThrownBy(() -> box.state("e")).isInstanceOf(NotFoundException.class);
    assertThat(box.run("true")).isZero();
  }

  @Test
  void who_waits_for_one_that_cannot_start_is_not_kept_waiting() throws Exception {
    Box box = box();
    box.exec("e", NONE, "no-such-program");
    FutureTask<Exit> wait = box.waiting("e");
    assertThatThrownBy(() -> box.start("e")).isInstanceOf(ContainerdException.class);
    try {
      Exit _ = box.delete("e");
      assertThat(TaskDriver.outcome(wait)).isNotNull(); // some tell an end that there was not
    } catch (NotFoundException e) {
      assertThat(e).hasMessageContaining("e");
    }
  }

  @Test
  void one_that_never_started_can_be_deleted() throws Exception {
    Box box = box();
    box.exec("e", NONE, "true");
    Exit _ = box.delete("e");
    assertThatThrownBy(() -> box.state("e")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_running_one_is_not_deleted() throws Exception {
    Box box = box();
    box.exec("e", NONE, "sleep", "1000");
    int _ = box.start("e");
    assertThatThrownBy(() -> box.delete("e"))
        .isInstanceOf(ContainerdException.class)
        .isNotInstanceOf(NotFoundException.class);
    assertThat(box.state("e").status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void one_is_started_once() throws Exception {
    Box box = box();
    box.exec("e", NONE, "sleep", "1000");
    int _ = box.start("e");
    assertThatThrownBy(() -> box.start("e")).isInstanceOf(ContainerdException.class);
  }

  @Test
  void environment_folder_and_user_are_its_own() throws Exception {
    Streams streams = output();
    Box box = box();
    JsonObject process =
        BusyboxRoot.process("sh", "-c", "pwd; id -u; echo $A")
            .with("cwd", "/tmp")
            .with("user", JsonObject.EMPTY.with("uid", 56).with("gid", 78))
            .with("env", JsonArray.ofStrings(List.of("PATH=/bin", "A=b c")));
    box.exec("e", streams.stdio(), process);
    int _ = box.start("e");
    assertThat(box.await("e").status()).isZero();
    Exit _ = box.delete("e");
    assertThat(streams.wholeOut().lines()).containsExactly("/tmp", "56", "b c");
  }

  @Test
  void it_is_in_the_containers_namespaces() throws Exception {
    Box box = box();
    assertThat(box.run("sh", "-c", "[ $(cat /proc/sys/kernel/hostname) = box ]")).isZero();
    assertThat(box.run("sh", "-c", "kill -0 1")).isZero();
  }

  @Test
  void the_end_of_the_task_ends_it() throws Exception {
    Box box = box();
    box.exec("e", NONE, "sleep", "1000");
    int pid = box.start("e");
    FutureTask<Exit> wait = box.waiting("e");
    box.kill(KILL);
    Exit _ = box.await();
    assertThat(TaskDriver.outcome(wait).status()).isEqualTo(137);
    assertThat(isAlive(pid)).isFalse();
    assertThat(box.state("e").status()).isEqualTo(TaskStatus.STOPPED);
  }

  @Test
  void the_end_by_a_signal_is_128_and_its_number() throws Exception {
    Box box = box();
    box.exec("e", NONE, "sleep", "1000");
    int _ = box.start("e");
    box.kill("e", TERM, false);
    assertThat(box.await("e").status()).isEqualTo(128 + TERM);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void ten_at_once_have_each_their_own_status() throws Exception {
    Box box = box();
    List<FutureTask<Integer>> all = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      String status = Integer.toString(i);
      all.add(TaskDriver.begin(() -> box.run("sh", "-c", "exit " + status)));
    }
    for (int i = 0; i < 10; i++) {
      assertThat(TaskDriver.outcome(all.get(i))).isEqualTo(i);
    }
  }

  @Test
  void those_that_were_not_deleted_go_with_the_task() throws Exception {
    Box box = box();
    box.exec("ended", NONE, "true");
    int _ = box.start("ended");
    Exit _ = box.await("ended");
    box.exec("added", NONE, "true");
    Exit _ = box.end();
    assertThatThrownBy(() -> box.state("ended")).isInstanceOf(NotFoundException.class);
  }
}

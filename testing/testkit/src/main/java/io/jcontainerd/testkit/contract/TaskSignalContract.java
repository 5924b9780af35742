package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import org.junit.jupiter.api.Test;

/** Whom a signal reaches. */
public abstract class TaskSignalContract extends TaskCases {
  private static final int USR1 = 10;

  /** For subclasses. */
  protected TaskSignalContract() {}

  @Test
  void the_first_process_may_deal_with_it() throws Exception {
    Streams streams = output();
    Box box =
        driver.box(
            "sh",
            "-c",
            "trap 'echo caught; exit 42' TERM; echo ready; while :; do usleep 10000; done");
    int _ = box.create(streams.stdio());
    int _ = box.start();
    streams.awaitOut("ready");
    box.kill(TERM);
    assertThat(box.await().status()).isEqualTo(42);
    streams.awaitOut("caught");
  }

  @Test
  void it_may_go_on_after_it() throws Exception {
    Streams streams = output();
    Box box =
        driver.box("sh", "-c", "trap 'echo usr1' USR1; echo ready; while :; do usleep 10000; done");
    int _ = box.create(streams.stdio());
    int _ = box.start();
    streams.awaitOut("ready");
    box.kill(USR1);
    streams.awaitOut("usr1");
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void a_first_process_without_a_handler_is_protected_by_the_kernel() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.kill(TERM);
    assertThat(box.run("sh", "-c", "kill -0 1")).isZero();
    box.kill(KILL);
    assertThat(box.await().status()).isEqualTo(137);
  }

  @Test
  void what_has_ended_is_not_found() throws Exception {
    Box box = driver.running("true");
    Exit _ = box.await();
    assertThatThrownBy(() -> box.kill(KILL))
        .isInstanceOf(NotFoundException.class)
        .hasMessageContaining("process already finished");
    assertThatThrownBy(() -> box.kill("", KILL, true)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void an_exec_that_has_ended_is_not_found() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("e", NONE, "true");
    int _ = box.start("e");
    Exit _ = box.await("e");
    assertThatThrownBy(() -> box.kill("e", KILL, false)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void an_exec_that_did_not_start_is_no_one_to_signal() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("e", NONE, "true");
    assertThatThrownBy(() -> box.kill("e", KILL, false))
        .isInstanceOf(FailedPreconditionException.class)
        .hasMessageContaining("process not created");
  }

  @Test
  void one_for_an_exec_reaches_no_other() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("a", NONE, "sleep", "1000");
    box.exec("b", NONE, "sleep", "1000");
    int _ = box.start("a");
    int _ = box.start("b");
    box.kill("a", KILL, false);
    assertThat(box.await("a").status()).isEqualTo(137);
    assertThat(box.state("b").status()).isEqualTo(TaskStatus.RUNNING);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void one_for_all_reaches_execs() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("e", NONE, "sleep", "1000");
    int pid = box.start("e");
    box.kill("", KILL, true);
    assertThat(box.await().status()).isEqualTo(137);
    assertThat(box.await("e").status()).isEqualTo(137);
    assertThat(isAlive(pid)).isFalse();
  }

  @Test
  void one_for_all_reaches_children_of_the_first_process() throws Exception {
    Streams streams = output();
    Box box =
        driver.box(
            "sh",
            "-c",
            "trap 'echo parent' USR1; sh -c \"trap 'echo child; exit' USR1; echo ready; while :; do usleep"
                + " 10000; done\" & while :; do usleep 10000; done");
    int _ = box.create(streams.stdio());
    int _ = box.start();
    streams.awaitOut("ready");
    box.kill("", USR1, true);
    streams.awaitOut("parent");
    streams.awaitOut("child");
  }

  @Test
  void one_that_does_not_exist_is_refused() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(() -> box.kill(200)).isInstanceOf(ContainerdException.class);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void a_paused_task_that_is_killed_dies_when_it_goes_on() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.pause();
    box.kill(KILL);
    if (box.status() != TaskStatus.STOPPED) { // a runtime may thaw what it kills
      try {
        box.resume();
      } catch (ContainerdException e) {
        assertThat(e).hasMessageMatching("(?s).*(stopped|not paused|paused|running).*");
      }
    }
    assertThat(box.await().status()).isEqualTo(137);
  }
}

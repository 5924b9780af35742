package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import org.junit.jupiter.api.Test;

/** Terminals. */
public abstract class TaskTerminalContract extends TaskCases {
  /** For subclasses. */
  protected TaskTerminalContract() {}

  private Box run(Streams streams, String script) throws InterruptedException {
    Box box = driver.box(spec -> spec.process(p -> p.with("terminal", true)), "sh", "-c", script);
    int _ = box.create(streams.stdio());
    int _ = box.start();
    return box;
  }

  private void resize(Box box, String execId, int width, int height) throws InterruptedException {
    boolean _ =
        driver.tasks(
            t -> {
              t.resizePty(box.id(), execId, width, height);
              return true;
            });
  }

  @Test
  void all_three_streams_are_the_terminal() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo three");
    assertThat(box.await().status()).isZero();
    streams.awaitOut("three\r\n");
    assertThat(streams.out()).contains("/dev/");
    assertThat(box.state().stdio().terminal()).isTrue();
  }

  @Test
  void errors_are_in_the_output() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "echo out; echo err >&2");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(streams.wholeOut()).isEqualTo("out\r\nerr\r\n");
  }

  @Test
  void what_is_typed_is_shown_and_read() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "read line; echo \"got $line\"");
    streams.type("hello\n");
    streams.awaitOut("got hello\r\n");
    assertThat(streams.out()).startsWith("hello\r\n");
    assertThat(box.await().status()).isZero();
  }

  @Test
  void its_size_can_be_told() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "while read _; do stty size; done");
    resize(box, "", 123, 45);
    streams.type("\n");
    streams.awaitOut("45 123\r\n");
    resize(box, "", 80, 24);
    streams.type("\n");
    streams.awaitOut("24 80\r\n");
  }

  @Test
  void an_interrupt_that_is_typed_reaches_the_process_in_front() throws Exception {
    Streams streams = terminal();
    Box box =
        run(streams, "trap 'echo caught; exit 9' INT; echo ready; while :; do usleep 10000; done");
    streams.awaitOut("ready");
    streams.type("\003");
    assertThat(box.await().status()).isEqualTo(9);
    streams.awaitOut("caught");
  }

  @Test
  void the_end_of_input_that_is_typed_ends_it() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "cat; echo end");
    streams.type("line\n");
    streams.awaitOut("line\r\nline\r\n");
    streams.type("\004");
    streams.awaitOut("end\r\n");
    assertThat(box.await().status()).isZero();
  }

  @Test
  void much_output_arrives_whole() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "seq 20000");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(streams.wholeOut())
        .startsWith("1\r\n2\r\n")
        .endsWith("\r\n20000\r\n")
        .hasSize(128894);
  }

  @Test
  void an_exec_may_have_one_beside_a_task_without() throws Exception {
    Streams streams = terminal();
    Box box = driver.running("sleep", "1000");
    box.exec("e", streams.stdio(), "sh", "-c", "read _; stty size; exit 5");
    int _ = box.start("e");
    resize(box, "e", 99, 11);
    streams.type("\n");
    assertThat(box.await("e").status()).isEqualTo(5);
    streams.awaitOut("11 99\r\n");
    assertThat(box.state("e").stdio().terminal()).isTrue();
    assertThat(box.state().stdio().terminal()).isFalse();
  }

  @Test
  void a_size_without_one_is_nothing() throws Exception {
    Box box = driver.running("sleep", "1000");
    resize(box, "", 80, 24);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void a_size_for_an_unknown_process_is_not_found() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(() -> resize(box, "none", 80, 24)).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_client_that_leaves_does_not_end_the_process() throws Exception {
    Streams streams = terminal();
    Box box = run(streams, "echo ready; while :; do usleep 20000; echo more; done");
    streams.awaitOut("ready");
    streams.leave();
    for (int i = 0; i < 20; i++) {
      assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
      Thread.sleep(10);
    }
  }
}

package io.jcontainerd.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.testkit.tasks.Streams;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;

/** Where streams lead, without a terminal. */
public abstract class TaskStreamContract extends TaskCases {
  /** For subclasses. */
  protected TaskStreamContract() {}

  private Box run(Stdio stdio, String script) throws InterruptedException {
    Box box = driver.box("sh", "-c", script);
    int _ = box.create(stdio);
    int _ = box.start();
    return box;
  }

  @Test
  void output_and_errors_come_apart() throws Exception {
    Streams streams = output();
    Box box = run(streams.stdio(), "echo out; echo err >&2");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(streams.wholeOut()).isEqualTo("out\n");
    assertThat(streams.wholeErr()).isEqualTo("err\n");
  }

  @Test
  void input_is_read_and_ends_when_it_is_closed() throws Exception {
    Streams streams = all();
    Box box = run(streams.stdio(), "cat; echo end");
    streams.type("one\n");
    streams.awaitOut("one\n");
    streams.type("two\n");
    streams.awaitOut("two\n");
    streams.endInput();
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
    boolean _ =
        driver.tasks(
            t -> {
              t.closeStdin(box.id(), "");
              return true;
            });
    streams.awaitOut("end\n");
    assertThat(box.await().status()).isZero();
  }

  @Test
  void an_exec_has_streams_of_its_own() throws Exception {
    Streams first = output();
    Streams second = all();
    Box box = run(first.stdio(), "echo first; exec sleep 1000");
    first.awaitOut("first");
    box.exec("e", second.stdio(), "sh", "-c", "cat; echo err >&2");
    int _ = box.start("e");
    second.type("typed\n");
    second.awaitOut("typed\n");
    second.endInput();
    boolean _ =
        driver.tasks(
            t -> {
              t.closeStdin(box.id(), "e");
              return true;
            });
    assertThat(box.await("e").status()).isZero();
    Exit _ = box.delete("e");
    assertThat(second.wholeOut()).isEqualTo("typed\n");
    assertThat(second.wholeErr()).isEqualTo("err\n");
    assertThat(first.out()).isEqualTo("first\n");
  }

  @Test
  void without_streams_a_process_may_write_and_reads_the_end() throws Exception {
    Box box = run(NONE, "read x && exit 9; echo x; echo y >&2; echo z; exit 3");
    assertThat(box.await().status()).isEqualTo(3);
  }

  @Test
  void one_stream_may_be_missing() throws Exception {
    Streams streams = output();
    Box box = run(new Stdio("", streams.stdio().stdout(), "", false), "echo err >&2 && echo out");
    assertThat(box.await().status()).isZero();
    streams.awaitOut("out\n");
  }

  @Test
  void much_output_arrives_whole() throws Exception {
    Streams streams = output();
    Box box = run(streams.stdio(), "seq 200000");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    String out = streams.wholeOut();
    assertThat(out).startsWith("1\n2\n").endsWith("199999\n200000\n").hasSize(1288895);
  }

  @Test
  void a_client_that_leaves_does_not_end_the_process() throws Exception {
    Streams streams = output();
    Box box = run(streams.stdio(), "echo begin; i=0; while :; do echo $i; i=$((i+1)); done");
    streams.awaitOut("begin");
    streams.leave();
    for (int i = 0; i < 20; i++) {
      assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
      Thread.sleep(10);
    }
  }

  @Test
  void a_client_that_comes_back_reads_on() throws Exception {
    Streams streams = output();
    Box box = run(streams.stdio(), "echo first; while :; do usleep 20000; echo more; done");
    streams.awaitOut("first");
    streams.leave();
    try (var again = Files.newBufferedReader(Path.of(streams.stdio().stdout()))) {
      String line = again.readLine();
      for (int i = 0; i < 5000 && !"more".equals(line); i++) {
        line = again.readLine();
      }
      assertThat(line).isEqualTo("more");
    }
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void the_end_of_the_output_is_there_after_the_end_of_the_process() throws Exception {
    Streams streams = output();
    Box box = run(streams.stdio(), "echo last words");
    assertThat(box.await().status()).isZero();
    streams.awaitOut("last words\n");
  }

  @Test
  void a_file_gets_both_streams_after_what_it_has() throws Exception {
    Path log = folder.resolve("log");
    Files.writeString(log, "before\n");
    Box box = run(new Stdio("", "file://" + log, "file://" + log, false), "echo out; echo err >&2");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(Files.readAllLines(log)).containsExactlyInAnyOrder("before", "out", "err");
    assertThat(Files.readAllLines(log).getFirst()).isEqualTo("before");
  }

  @Test
  void a_file_that_is_not_there_is_made_with_its_folders() throws Exception {
    Path log = folder.resolve("a/b/log");
    Box box = run(new Stdio("", "file://" + log, "file://" + log, false), "echo out");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(log).hasContent("out\n");
    assertThat(Files.getPosixFilePermissions(log))
        .isEqualTo(PosixFilePermissions.fromString("rw-r--r--"));
    assertThat(Files.getPosixFilePermissions(log.getParent()))
        .isEqualTo(PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void a_plain_file_is_appended_to() throws Exception {
    Path log = folder.resolve("plain");
    Files.writeString(log, "before\n");
    Box box = run(new Stdio("", log.toString(), log.toString(), false), "echo out; echo err >&2");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    assertThat(Files.readAllLines(log)).containsExactlyInAnyOrder("before", "out", "err");
  }

  private Path logger(String script) throws IOException {
    Path program = folder.resolve("logger");
    Files.writeString(program, "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return program;
  }

  @Test
  void a_logger_gets_both_streams_and_knows_whose_they_are() throws Exception {
    Path log = folder.resolve("logged");
    Path program =
        logger(
            """
            exec > "$2" 2>&1
            echo "$1 $CONTAINER_NAMESPACE/$CONTAINER_ID"
            exec 5>&-
            cat <&3 & cat <&4 & wait
            """);
    String uri = "binary://" + program + "?log=" + log;
    Box box = run(new Stdio("", uri, uri, false), "echo out; echo err >&2");
    assertThat(box.await().status()).isZero();
    Exit _ = box.delete();
    until("all is logged", () -> lines(log) == 3);
    assertThat(Files.readAllLines(log))
        .containsExactlyInAnyOrder("log " + driver.namespace() + "/" + box.id(), "out", "err");
  }

  private static long lines(Path file) {
    try {
      return Files.readAllLines(file).size();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_logger_that_ends_before_it_is_ready_is_told_or_survived() throws Exception {
    String uri = "binary://" + logger("exit 1\n");
    Box box = driver.box("echo", "out");
    try {
      int _ = box.create(new Stdio("", uri, uri, false));
      int _ = box.start();
      Exit _ = box.await();
      Exit _ = box.delete();
    } catch (ContainerdException e) {
      assertThat(e).isNotInstanceOf(NotFoundException.class);
    }
    assertThat(driver.list()).isEmpty();
  }

  @Test
  void a_scheme_that_nobody_knows_is_refused() throws Exception {
    Box box = driver.box("true");
    assertThatThrownBy(() -> box.create(new Stdio("", "gopher:///x", "", false)))
        .isInstanceOf(ContainerdException.class)
        .hasMessageContaining("gopher");
    assertThat(driver.list()).isEmpty();
  }

  @Test
  void the_state_tells_where_streams_lead() throws Exception {
    Streams streams = all();
    Streams execs = output();
    Box box = run(streams.stdio(), "exec sleep 1000");
    assertThat(box.state().stdio()).isEqualTo(streams.stdio());
    box.exec("e", execs.stdio(), "true");
    assertThat(box.state("e").stdio()).isEqualTo(execs.stdio());
  }
}

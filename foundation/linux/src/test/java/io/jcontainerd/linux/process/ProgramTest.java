package io.jcontainerd.linux.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.Reactor;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramTest {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int KEEP = 64 * 1024;

  @TempDir Path folder;
  private Reactor reactor;
  private Children children;
  private ProgramRunner runner;

  @BeforeEach
  void open() throws IOException {
    reactor = Reactor.start("spawn-test");
    children = new Children(reactor, Clock.systemUTC());
    runner = new ProgramRunner(reactor, children);
  }

  @AfterEach
  void close() throws IOException {
    assertThat(children.count()).isZero();
    reactor.close();
  }

  private ProgramRunner.Finished shell(String script) throws Exception {
    return runner.run(
        Program.of("/bin/sh", List.of("-c", script), List.of("PATH=/bin:/usr/bin", "A=b c")),
        new byte[0],
        LONG,
        KEEP);
  }

  private String output(String script) throws Exception {
    return new String(shell(script).output(), UTF_8).strip();
  }

  @Test
  void output_error_and_exit_code_are_told_apart() throws Exception {
    ProgramRunner.Finished finished = shell("echo out; echo err >&2; exit 7");
    assertThat(new String(finished.output(), UTF_8)).isEqualTo("out\n");
    assertThat(new String(finished.error(), UTF_8)).isEqualTo("err\n");
    assertThat(finished.exit().code()).isEqualTo(7);
  }

  @Test
  void a_signal_gives_128_and_its_number() throws Exception {
    assertThat(shell("kill -9 $$").exit().code()).isEqualTo(137);
    assertThat(shell("kill -15 $$").exit().code()).isEqualTo(143);
  }

  @Test
  void the_child_has_three_descriptors_and_no_other() throws Exception {
    try (OwnedDescriptor leak =
        OwnedDescriptor.open(Path.of("/dev/zero"), OwnedDescriptor.Access.READ)) {
      assertThat(leak.number()).isGreaterThan(2);
      // ls itself opens one, 3
      assertThat(output("ls /proc/self/fd").lines()).containsExactly("0", "1", "2", "3");
    }
  }

  @Test
  void no_signal_is_blocked_or_ignored_in_the_child() throws Exception {
    assertThat(output("grep -E '^Sig(Blk|Ign)' /proc/self/status | tr -d '\\t'").lines())
        .containsExactly("SigBlk:0000000000000000", "SigIgn:0000000000000000");
  }

  @Test
  void environment_and_directory_are_those_given() throws Exception {
    ProgramRunner.Finished finished =
        runner.run(
            Program.of("/bin/sh", List.of("-c", "pwd; echo $A"), List.of("A=b c")).in(folder),
            new byte[0],
            LONG,
            KEEP);
    assertThat(new String(finished.output(), UTF_8).lines())
        .containsExactly(folder.toRealPath().toString(), "b c");
  }

  @Test
  void a_session_of_its_own_is_led_by_the_child() throws Exception {
    ProgramRunner.Finished finished =
        runner.run(
            Program.of("/bin/sh", List.of("-c", "ps -o sid= -p $$; echo $$"), List.of("PATH=/bin"))
                .withSession(),
            new byte[0],
            LONG,
            KEEP);
    List<String> lines = new String(finished.output(), UTF_8).lines().map(String::strip).toList();
    assertThat(lines.get(0)).isEqualTo(lines.get(1));
  }

  @Test
  void descriptors_may_swap_numbers_and_leave_gaps() throws Exception {
    try (OwnedDescriptor first = OwnedDescriptor.inMemory("first");
        OwnedDescriptor second = OwnedDescriptor.inMemory("second")) {
      Child child =
          children.spawn(
              Program.of(
                      "/bin/bash",
                      List.of(
                          "-c",
                          "echo one >&"
                              + second.number()
                              + "; echo two >&"
                              + first.number()
                              + "; echo nine >&9"),
                      List.of("PATH=/bin"))
                  .withDescriptors(
                      Map.of(second.number(), first, first.number(), second, 9, second)));
      assertThat(child.await(LONG).orElseThrow().code()).isZero();
      assertThat(new String(first.contents(100), UTF_8)).isEqualTo("one\n");
      assertThat(new String(second.contents(100), UTF_8)).isEqualTo("two\nnine\n");
    }
  }

  @Test
  void input_is_read_from_its_beginning() throws Exception {
    ProgramRunner.Finished finished =
        runner.run(Program.of("cat", List.of(), List.of()), "hello\n".getBytes(UTF_8), LONG, KEEP);
    assertThat(new String(finished.output(), UTF_8)).isEqualTo("hello\n");
  }

  @Test
  void much_output_neither_blocks_the_program_nor_is_kept_beyond_the_limit() throws Exception {
    ProgramRunner.Finished finished =
        runner.run(
            Program.of("head", List.of("-c", "3000000", "/dev/zero"), List.of()),
            new byte[0],
            LONG,
            1000);
    assertThat(finished.exit().code()).isZero();
    assertThat(finished.output()).hasSize(1000);
  }

  @Test
  void a_program_that_takes_too_long_is_killed_with_its_children() throws Exception {
    Program program =
        Program.of("/bin/sh", List.of("-c", "sleep 1000 & echo $!; wait"), List.of("PATH=/bin"));
    Duration time = Duration.ofMillis(300);
    ProgramRunner.Finished finished = runner.run(program, new byte[0], time, KEEP);
    while (finished.output().length == 0 && time.compareTo(LONG) < 0) {
      assertThat(finished.timedOut()).isTrue();
      time = time.multipliedBy(4); // on a busy machine it comes to nothing before
      finished = runner.run(program, new byte[0], time, KEEP);
    }
    assertThat(finished.timedOut()).isTrue();
    int grandchild = Integer.parseInt(new String(finished.output(), UTF_8).strip());
    try (var probe = Waiting.foreign(children, grandchild)) {
      assertThat(probe.ended()).isTrue();
    }
  }

  @Test
  void a_missing_program_is_told_by_name_and_leaves_nothing() {
    assertThatThrownBy(() -> children.spawn(Program.of("/no/such/program", List.of(), List.of())))
        .isInstanceOfSatisfying(
            ErrnoException.class,
            e -> {
              assertThat(e.errno()).isEqualTo(Errno.ENOENT);
              assertThat(e.subject()).isEqualTo("/no/such/program");
            })
        .hasMessage("posix_spawn /no/such/program: no such file or directory (ENOENT)");
  }

  private int leaving(Program program) throws Exception {
    ProgramRunner.Finished finished = runner.run(program, new byte[0], LONG, KEEP);
    assertThat(finished.exit().code()).isEqualTo(4);
    return Integer.parseInt(new String(finished.output(), UTF_8).strip());
  }

  @Test
  void what_stays_in_the_group_of_a_program_may_end_with_it() throws Exception {
    Program program =
        Program.of(
            "/bin/sh",
            List.of("-c", "sleep 1000 >/dev/null 2>&1 & echo $!; exit 4"),
            List.of("PATH=/bin:/usr/bin"));
    try (var probe = Waiting.foreign(children, leaving(program.withGroupThatEnds()))) {
      assertThat(probe.ended()).isTrue();
    }
    int stays = leaving(program);
    assertThat(ProcessIdentity.of(stays)).isPresent();
    assertThat(Signals.send(stays, Signals.KILL)).isTrue();
  }
}

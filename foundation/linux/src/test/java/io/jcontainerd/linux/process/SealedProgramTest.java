package io.jcontainerd.linux.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.libc.DescriptorCalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SealedProgramTest {
  private static final Path SHELL = Path.of("/bin/sh");

  @TempDir Path folder;

  private static String run(Program program) throws Exception {
    try (Reactor reactor = Reactor.start("sealed-test")) {
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      ProgramRunner.Finished end =
          runner.run(program, new byte[0], Duration.ofSeconds(60), 64 * 1024);
      return new String(end.output(), UTF_8).strip();
    }
  }

  @Test
  void a_copy_runs_under_the_name_of_its_program_and_after_that_was_replaced() throws Exception {
    Path shell = folder.resolve("shell");
    Files.copy(SHELL, shell, StandardCopyOption.COPY_ATTRIBUTES);
    try (SealedProgram copy = SealedProgram.of(shell)) {
      Files.delete(shell);
      Program program =
          Program.of(
                  shell.toString(),
                  List.of("-c", "cat /proc/$$/cmdline | tr '\\0' ' '; readlink /proc/$$/exe"),
                  List.of("PATH=/bin:/usr/bin"))
              .executing(copy.path());
      assertThat(run(program)).startsWith(shell + " -c ").endsWith("/memfd:shell (deleted)");
    }
  }

  @Test
  void nobody_can_change_a_copy() throws Exception {
    try (SealedProgram copy = SealedProgram.of(SHELL)) {
      // what crun and runc look for (their cloned_binary.c and dmz/cloned_binary_linux.go)
      int number = Integer.parseInt(copy.path().getFileName().toString());
      assertThat(DescriptorCalls.fcntl(number, DescriptorCalls.F_GET_SEALS, 0) & 15).isEqualTo(15);
      assertThatThrownBy(() -> Files.write(copy.path(), new byte[] {1}, StandardOpenOption.WRITE))
          .isInstanceOf(IOException.class);
      assertThat(Files.readAllBytes(copy.path())).isEqualTo(Files.readAllBytes(SHELL));
    }
  }

  @Test
  void a_closed_copy_is_gone() throws Exception {
    SealedProgram copy = SealedProgram.of(SHELL);
    Path path = copy.path();
    assertThat(path).exists();
    copy.close();
    assertThat(target(path)).doesNotContain("memfd:sh");
  }

  /** What the number stands for, which may be another's already; empty if it is nobody's. */
  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException _) {
      return "";
    }
  }

  @Test
  void a_program_that_is_not_there_is_named() {
    Path none = folder.resolve("none");
    assertThatThrownBy(() -> SealedProgram.of(none))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining(none.toString());
  }
}

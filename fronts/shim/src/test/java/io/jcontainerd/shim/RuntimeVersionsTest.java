package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProgramRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RuntimeVersionsTest {
  @TempDir Path folder;

  @Test
  void a_runtime_that_did_not_answer_once_is_asked_again() throws Exception {
    Path busy = Files.createFile(folder.resolve("busy"));
    Path program = folder.resolve("runtime");
    Files.writeString(
        program,
        "#!/bin/sh\nif [ -e %s ]; then sleep 600; fi\necho '{\"ociVersionMax\":\"1.2.0\"}'\n"
            .formatted(busy));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    try (Reactor reactor = Reactor.start("versions-test")) {
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      List<String> environment = List.of("PATH=" + System.getenv("PATH"));
      // as long as a busy one may take, and the one that sleeps is waited for
      RuntimeVersions versions = new RuntimeVersions(runner, environment, Duration.ofSeconds(2));
      assertThat(versions.newest(program.toString())).isEqualTo(SpecVersion.FIRST);
      Files.delete(busy);
      assertThat(versions.newest(program.toString())).isEqualTo(SpecVersion.parse("1.2.0"));
    }
  }

  @Test
  void a_runtime_that_is_not_there_is_left_to_the_command_that_needs_it() throws Exception {
    try (Reactor reactor = Reactor.start("versions-test")) {
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      List<String> environment = List.of("PATH=" + System.getenv("PATH"));
      RuntimeVersions versions = new RuntimeVersions(runner, environment);
      assertThat(versions.newest("no-such-runtime")).isEqualTo(SpecVersion.FIRST);
    }
  }
}

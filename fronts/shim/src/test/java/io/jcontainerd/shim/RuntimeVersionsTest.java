package io.jcontainerd.shim;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.linux.descriptor.Reactor;
import io.jcontainerd.linux.process.Children;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.testkit.time.Soon;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RuntimeVersionsTest {
  @TempDir Path folder;

  @Test
  void a_runtime_that_did_not_answer_once_is_asked_again() throws Exception {
    Path busy = Files.createFile(folder.resolve("busy"));
    Path program = folder.resolve("runtime");
    Files.writeString(
        program,
        "#!/bin/sh\nif [ -e %s ]; then exec sleep 600; fi\necho '{\"ociVersionMax\":\"1.2.0\"}'\n"
            .formatted(busy));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    try (Reactor reactor = Reactor.start("versions-test")) {
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      List<String> environment = List.of("PATH=" + System.getenv("PATH"));
      // so long the one that sleeps is waited for
      RuntimeVersions versions = new RuntimeVersions(runner, environment, Duration.ofSeconds(2));
      assertThat(versions.of(program.toString())).isEqualTo(RuntimeVersion.SILENT);
      Files.delete(busy);
      Soon.until( // which on a slow machine may take longer, too
          "it answers",
          () -> versions.of(program.toString()).newest().equals(SpecVersion.parse("1.2.0")));
    }
  }

  @Test
  void a_runtime_that_is_not_there_is_left_to_the_command_that_needs_it() throws Exception {
    try (Reactor reactor = Reactor.start("versions-test")) {
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      List<String> environment = List.of("PATH=" + System.getenv("PATH"));
      RuntimeVersions versions = new RuntimeVersions(runner, environment);
      assertThat(versions.of("no-such-runtime")).isEqualTo(RuntimeVersion.SILENT);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          # features; --version; name; own version; announced
          {"ociVersionMax":"1.0.2-dev","annotations":{"org.opencontainers.runc.version":"1.1.5+ds1"}}; none; runc; 1.1.5; 1.0.2-dev
          {"ociVersionMax":"1.1.0+dev","annotations":{"run.oci.crun.version":"1.14.1.0.0.0.12-a1b2"}}; none; crun; 1.14.1; 1.1.0
          unknown command; crun version 1.8.1\\nrundir: /run/crun\\nspec: 1.0.0; crun; 1.8.1; 1.0.0
          {"ociVersionMax":"1.2.0"}; wrapper version 7\\nspec: 1.2.0\\nrunc version 1.2.3-rc.1\\nspec: 1.2.0; runc; 1.2.3; 1.2.0
          {"ociVersionMax":"1.1.0"}; other version 0.5.0; ``; none; 1.1.0
          """)
  void a_runtime_is_known_by_what_it_says(
      String features, String version, String name, String own, String announced) throws Exception {
    Path program = folder.resolve("runtime");
    Files.writeString(
        program,
        "#!/bin/sh\ncase $1 in features) echo '%s' ;; *) printf '%s\\n' ;; esac\n"
            .formatted(features, version));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    try (Reactor reactor = Reactor.start("versions-test")) {
      ProgramRunner runner = new ProgramRunner(reactor, new Children(reactor, Clock.systemUTC()));
      RuntimeVersions versions =
          new RuntimeVersions(runner, List.of("PATH=" + System.getenv("PATH")));
      assertThat(versions.of(program.toString()))
          .isEqualTo(
              new RuntimeVersion(
                  name,
                  Optional.of(own).filter(text -> !text.equals("none")).map(SpecVersion::parse),
                  Optional.of(SpecVersion.parse(announced))));
    }
  }
}

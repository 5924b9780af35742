package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Many containers and execs, as {@code ./dev soak} has very many of them. */
@Tag("root")
class SoakTest {
  private static final Duration LIMIT = Duration.ofMinutes(20);

  private Path folder;

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "it is about what only ours promises");
    folder = Scene.folder("soak");
  }

  @AfterEach
  void close() {
    if (folder != null) {
      Traces.processes(folder).forEach(ProcessHandle::destroyForcibly);
      Command.run("rm", "-rf", folder.toString()).ok();
    }
  }

  @Test
  void after_much_work_nothing_is_left_grown_lost_or_doubled() {
    List<String> line =
        Command.line(
            List.of(Daemon.launcher("endure").toString(), "soak"),
            "--minutes",
            "1.5",
            "--folder",
            folder + "/s");
    Command run = Command.run(line, "", LIMIT);
    System.out.print(run.out());
    assertThat(run.ok().out()).contains("0 lost, 0 doubled, 0 wrong", "failures 0");
  }
}

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

/** Each stage of create, start, exec, kill and delete hung once, as {@code ./dev stuck} does it. */
@Tag("root")
class StuckTest {
  private static final Duration LIMIT = Duration.ofMinutes(15);

  /** Not a second as where nothing else runs; what waited for the stage would wait for ever. */
  private static final String WITHIN_SECONDS = "20";

  private Path folder;

  @BeforeEach
  void open() {
    Assumptions.assumeTrue(Daemon.reference() == null, "it is about what only ours promises");
    folder = Scene.folder("stuck");
  }

  @AfterEach
  void close() {
    if (folder != null) {
      Traces.processes(folder).forEach(ProcessHandle::destroyForcibly);
      Command.run("rm", "-rf", folder.toString()).ok();
    }
  }

  @Test
  void what_is_stuck_is_named_and_asked_for_again_and_holds_up_no_record() {
    List<String> line =
        List.of(
            Daemon.launcher("endure").toString(),
            "stuck",
            "--folder",
            folder + "/s",
            "--within",
            WITHIN_SECONDS);
    Command run = Command.run(line, "", LIMIT);
    System.out.print(run.out());
    assertThat(run.ok().out()).contains("KIND", "failures 0");
  }
}

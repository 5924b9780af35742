package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a newcomer runs first. */
@Tag("root")
class DemoTest {
  private static final Duration LIMIT = Duration.ofMinutes(10);

  @TempDir Path folder;

  @Test
  void the_demonstration_shows_a_container_and_leaves_nothing_behind() {
    Traces before = Traces.now(folder);
    String said =
        Command.run(
                List.of("env", "JCONTAINERD_DEMO=" + folder, Daemon.launcher("demo").toString()),
                "",
                LIMIT)
            .ok()
            .out();
    assertThat(said)
        .contains("FROM_THE_IMAGE=yes", "FROM_THE_RUN=yes")
        .containsPattern("uid map +0 100000 65536")
        .containsPattern("memory +67108864")
        .containsPattern("pids +32")
        .contains(
            "nothing: processes 0, mounts 0, cgroups 0, network namespaces 0, files outside 0");
    before.assertNothingAdded(folder);
  }
}

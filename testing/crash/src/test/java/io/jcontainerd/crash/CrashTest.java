package io.jcontainerd.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.LogManager;
import org.junit.jupiter.api.Test;

/** The size that every run of the tests can bear; {@code ./dev crash --long} does more. */
class CrashTest {
  private static final int STATES = 20_000;

  @Test
  void the_daemon_recovers_from_every_crash_and_every_failing_call() throws Exception {
    LogManager.getLogManager().reset();
    Path scratch = Main.scratch();
    List<String> lines = new ArrayList<>();
    try {
      CrashSuite.Counts counts =
          new CrashSuite(scratch, Runtime.getRuntime().availableProcessors(), lines::add)
              .run(STATES, "");
      assertThat(counts.failures()).as(String.join("\n", lines)).isZero();
      assertThat(counts.states()).isGreaterThanOrEqualTo(STATES);
      assertThat(counts.calls()).isGreaterThan(3000);
    } finally {
      Main.remove(scratch);
    }
  }
}

package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.transfer.TransferProgress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TransferBarsTest {
  private static final String LAYER = "layer-sha256:0123456789abcdef0123456789abcdef";
  private static final long MIB = 1 << 20;

  private final TransferBars bars = new TransferBars();

  @Test
  void a_part_has_a_bar_its_rate_and_the_time_that_is_left() {
    bars.hear(new TransferProgress("Pulling from x"), 0);
    bars.hear(part("downloading", 0, 100 * MIB), 0);
    bars.hear(part("downloading", 20 * MIB, 100 * MIB), seconds(2));
    List<String> lines = bars.lines(110, seconds(2));
    assertThat(lines).hasSize(2);
    assertThat(lines.getFirst()).isEqualTo("Pulling from x");
    assertThat(lines.getLast())
        .startsWith("layer 0123456789ab")
        .contains(" downloading ")
        .containsPattern("\\[=+> +]")
        .contains("20.0 MiB / 100.0 MiB")
        .endsWith("10.0 MiB/s 8 s");
  }

  @Test
  void a_rate_is_of_the_last_seconds() {
    bars.hear(part("downloading", 0, 100 * MIB), 0);
    bars.hear(part("downloading", 50 * MIB, 100 * MIB), seconds(1));
    bars.hear(part("downloading", 51 * MIB, 100 * MIB), seconds(10));
    assertThat(bars.lines(110, seconds(11)).getLast()).doesNotContain("50.0 MiB/s");
    bars.hear(part("downloading", 53 * MIB, 100 * MIB), seconds(12));
    assertThat(bars.lines(110, seconds(12)).getLast()).contains("1.0 MiB/s 47 s");
  }

  @Test
  void what_is_done_has_a_full_bar_and_no_rate() {
    bars.hear(part("downloading", 10 * MIB, 100 * MIB), 0);
    bars.hear(part("complete", 0, 0), seconds(1));
    assertThat(bars.lines(110, seconds(2)).getLast())
        .containsPattern("\\[=+]")
        .endsWith("100.0 MiB / 100.0 MiB");
  }

  @Test
  void lines_fit_into_any_width() {
    bars.hear(new TransferProgress("Pulling from a.very.long.name.example/of/an/image:tag"), 0);
    bars.hear(part("downloading", 10 * MIB, 100 * MIB), 0);
    for (int width : List.of(1, 20, 40, 79, 200)) {
      assertThat(bars.lines(width, seconds(1))).allMatch(line -> line.length() <= width);
    }
  }

  @Test
  void parts_keep_their_places() {
    for (String name : List.of("b", "a", "c")) {
      bars.hear(
          new TransferProgress("waiting", name, List.of(), 0, 0, Optional.empty()), seconds(0));
    }
    bars.hear(new TransferProgress("downloading", "b", List.of(), 1, 2, Optional.empty()), 1);
    assertThat(bars.lines(100, 1))
        .extracting(line -> line.isEmpty() ? "" : line.substring(0, 1))
        .containsExactly("", "b", "a", "c");
  }

  @Test
  void times_are_told_as_people_do() {
    assertThat(TransferBars.time(59)).isEqualTo("59 s");
    assertThat(TransferBars.time(61)).isEqualTo("1 min 01 s");
    assertThat(TransferBars.time(3_700)).isEqualTo("1 h 01 min");
  }

  @Test
  void without_a_terminal_each_step_is_one_line() {
    var text = new StringWriter();
    try (var view = new TransferView(new PrintWriter(text), false)) {
      view.progress(new TransferProgress("Resolving from x"));
      for (int i = 0; i < 100; i++) {
        view.progress(part("downloading", i, 100 * MIB));
      }
      view.progress(part("complete", 0, 100 * MIB));
      view.progress(new TransferProgress("saved", "x", List.of(), 0, 0, Optional.empty()));
    }
    assertThat(text.toString().lines())
        .containsExactly(
            "Resolving from x",
            LAYER + ": downloading (100.0 MiB)",
            LAYER + ": complete (100.0 MiB)",
            "x: saved");
  }

  @Test
  void on_a_terminal_lines_are_written_over_and_the_last_state_stays() {
    var text = new StringWriter();
    try (var view = new TransferView(new PrintWriter(text), true)) {
      view.progress(new TransferProgress("Pulling from x"));
      view.progress(part("complete", 0, 100 * MIB));
    }
    assertThat(text.toString()).contains("Pulling from x\u001b[K\n").endsWith("MiB\u001b[K\n");
  }

  private static TransferProgress part(String event, long done, long total) {
    return new TransferProgress(event, LAYER, List.of(), done, total, Optional.empty());
  }

  private static long seconds(int seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }
}

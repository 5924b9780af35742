package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.transfer.TransferProgress;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PrintableTest {
  private static final String EVIL = "a\u001b[2J\u009b1m\r\n\u202e";
  private static final String SHOWN = "a\\u001b[2J\\u009b1m\\u000d\\u000a\\u202e";

  @Test
  void what_would_speak_to_the_terminal_is_escaped() {
    assertThat(Printable.text(EVIL)).isEqualTo(SHOWN);
    assertThat(Printable.text("\ud800\udb40\udc01")).isEqualTo("\\ud800\\U000e0001");
  }

  @Test
  void all_else_stays() {
    String plain = "docker.io/library/app:1 \u2026 \u00fc \ud83d\ude00";
    assertThat(Printable.text(plain)).isEqualTo(plain);
  }

  @Test
  void failures_tell_what_they_name_so() {
    assertThat(Advice.text(new NotFoundException("image " + EVIL))).isEqualTo("image " + SHOWN);
  }

  @Test
  void bars_and_lines_show_names_so() {
    var bars = new TransferBars();
    bars.hear(progress(TransferProgress.Event.SAVED), 0);
    bars.hear(progress("waiting" + EVIL), 0);
    assertThat(bars.lines(200, 0)).hasSize(2).allMatch(line -> line.contains(SHOWN));
    assertThat(bars.lines(200, 0)).allMatch(line -> line.equals(Printable.text(line)));
    var text = new StringWriter();
    try (var view = new TransferView(new PrintWriter(text), false)) {
      view.progress(progress("waiting"));
      view.progress(new TransferProgress(EVIL));
    }
    assertThat(text.toString().lines().toList()).isEqualTo(List.of(SHOWN + ": waiting", SHOWN));
  }

  private static TransferProgress progress(String event) {
    return new TransferProgress(event, EVIL, List.of(), 0, 0, Optional.empty());
  }
}

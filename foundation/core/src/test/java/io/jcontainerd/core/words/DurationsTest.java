package io.jcontainerd.core.words;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
  @ParameterizedTest
  @CsvSource({
    "0, PT0S, 0s",
    "0s, PT0S, 0s",
    "100ms, PT0.1S, 100ms",
    "1.5s, PT1.5S, 1.5s",
    "90s, PT1M30S, 1m30s",
    "4h0m0s, PT4H, 4h0m0s",
    "1h2m3s, PT1H2M3S, 1h2m3s",
    "250us, PT0.00025S, 250µs",
    "7ns, PT0.000000007S, 7ns",
    "-2m, PT-2M, -2m0s",
    "-.5ms, PT-0.0005S, -500µs",
    "2us3ns, PT0.000002003S, 2.003µs",
    "1µs, PT0.000001S, 1µs",
    "+72h, PT72H, 72h0m0s",
    "1.s, PT1S, 1s"
  })
  void what_is_read_is_printed_in_canonical_form(String text, Duration value, String printed) {
    assertThat(Durations.parse(text)).hasValue(value);
    assertThat(Durations.format(value)).isEqualTo(printed);
    assertThat(Durations.parse(printed)).hasValue(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "-",
        "1",
        "s",
        "1x",
        "1s2",
        " 1s",
        "1s ",
        "1h-2m",
        ".s",
        "99999999999h",
        "one second"
      })
  void anything_else_is_refused(String text) {
    assertThat(Durations.parse(text)).isEmpty();
  }

  /** A label may have four thousand bytes, and the collector reads all labels at each run. */
  @Test
  @Timeout(60)
  void without_a_unit_a_text_is_refused_in_no_time() {
    for (int i = 0; i < 1000; i++) {
      assertThat(Durations.parse("1".repeat(4000))).isEmpty();
    }
  }

  @Test
  void the_longest_duration_is_read() {
    assertThat(Durations.parse("9223372036854775807ns")).hasValue(Duration.ofNanos(Long.MAX_VALUE));
  }
}

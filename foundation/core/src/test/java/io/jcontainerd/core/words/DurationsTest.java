package io.jcontainerd.core.words;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
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
    "-2m, PT-2M, -2m0s"
  })
  void what_is_read_is_printed_in_canonical_form(String text, Duration value, String printed) {
    assertThat(Durations.parse(text)).hasValue(value);
    assertThat(Durations.format(value)).isEqualTo(printed);
    assertThat(Durations.parse(printed)).hasValue(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "-", "1", "s", "1x", "1s2", " 1s", "1s ", "99999999999h", "one second"})
  void anything_else_is_refused(String text) {
    assertThat(Durations.parse(text)).isEmpty();
  }

  @Test
  void the_longest_duration_is_read() {
    assertThat(Durations.parse("9223372036854775807ns")).hasValue(Duration.ofNanos(Long.MAX_VALUE));
  }
}

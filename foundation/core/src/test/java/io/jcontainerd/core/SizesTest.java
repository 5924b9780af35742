package io.jcontainerd.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SizesTest {
  @ParameterizedTest
  @CsvSource({
    "512,512",
    "1b,1",
    "1k,1024",
    "1kB,1024",
    "64MiB,67108864",
    "64 mb,67108864",
    "1.5g,1610612736",
    "2T,2199023255552",
    "1PiB,1125899906842624",
  })
  void units_are_powers_of_1024(String text, long bytes) {
    assertThat(Sizes.bytes(text)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "k", "-1", "1x", "1kk", "1e3", "9999999999999999999", "9000000P"})
  void anything_else_is_refused(String text) {
    assertThatThrownBy(() -> Sizes.bytes(text))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining(text);
  }
}

package io.jcontainerd.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.bench.layers.Codec;
import java.util.List;
import org.junit.jupiter.api.Test;

class PullOptionsTest {
  @Test
  void everythingUnlessTold() {
    PullOptions all = PullOptions.parse(List.of());
    assertThat(all.parts()).containsExactlyInAnyOrder(PullOptions.Part.values());
    assertThat(all.layers()).containsExactly(1, 6, 20);
    assertThat(all.codecs()).containsExactly(Codec.GZIP, Codec.ZSTD);
    assertThat(all.shapes()).containsExactly(0L, 1_000_000_000L);
    assertThat(all.runs()).isEqualTo(5);
  }

  @Test
  void aSubsetIsChosen() {
    PullOptions some =
        PullOptions.parse(
            List.of(
                "--layers",
                "6,20",
                "--codec",
                "zstd",
                "--shape",
                "0.5gbit,none",
                "--part",
                "pull"));
    assertThat(some.layers()).containsExactly(6, 20);
    assertThat(some.codecs()).containsExactly(Codec.ZSTD);
    assertThat(some.shapes()).containsExactly(500_000_000L, 0L);
    assertThat(some.parts()).containsExactly(PullOptions.Part.PULL);
    assertThat(some.shapes().stream().map(PullOptions::shown)).containsExactly("0.5gbit", "none");
    assertThat(PullOptions.shown(10_000_000_000L)).isEqualTo("10gbit");
  }

  @Test
  void whatNobodyKnowsIsRefused() {
    for (List<String> words :
        List.of(
            List.of("--shape", "fast"),
            List.of("--codec", "lzma"),
            List.of("--runs", "0"),
            List.of("--what", "1"),
            List.of("--layers"))) {
      assertThatThrownBy(() -> PullOptions.parse(words))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}

package io.jcontainerd.oci.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlatformsTest {
  @ParameterizedTest
  @CsvSource({
    "linux/amd64, linux/amd64",
    "linux/x86_64, linux/amd64",
    "linux/amd64/v1, linux/amd64",
    "linux/amd64/v3, linux/amd64/v3",
    "linux/aarch64, linux/arm64",
    "linux/arm64/v8, linux/arm64",
    "linux/arm64/8, linux/arm64",
    "linux/arm64/v9, linux/arm64/v9",
    "linux/arm, linux/arm/v7",
    "linux/arm/6, linux/arm/v6",
    "linux/armhf, linux/arm/v7",
    "linux/armel, linux/arm/v6",
    "linux/i386, linux/386",
    "Linux/RISCV64, linux/riscv64",
    "macOS/arm64, darwin/arm64",
    "linux/loongarch64, linux/loong64",
    "windows(10.0.17763)/amd64, windows(10.0.17763)/amd64"
  })
  void a_name_is_normalised(String text, String normal) {
    assertThat(Platforms.format(Platforms.parse(text))).isEqualTo(normal);
    assertThat(Platforms.parse(normal)).isEqualTo(Platforms.parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/", "linux/", "a/b/c/d", "linux/amd 64", "nonsense", "linux//v7"})
  void what_is_no_platform_is_refused(String text) {
    assertThatThrownBy(() -> Platforms.parse(text)).isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void one_word_is_completed_by_this_machine() {
    Platform host = Platforms.host();
    assertThat(Platforms.parse("linux").architecture()).isEqualTo(host.architecture());
    assertThat(Platforms.parse("s390x")).isEqualTo(new Platform(host.os(), "s390x", ""));
  }

  @ParameterizedTest
  @CsvSource({
    "linux/amd64, linux/amd64, 0",
    "linux/amd64, linux/386, 1",
    "linux/amd64/v3, linux/amd64/v2, 1",
    "linux/amd64/v3, linux/amd64, 2",
    "linux/amd64, linux/amd64/v2, -1",
    "linux/arm64, linux/arm64/v8, 0",
    "linux/arm64, linux/arm/v7, 2",
    "linux/arm64/v9, linux/arm64, 1",
    "linux/arm/v7, linux/arm/v6, 1",
    "linux/arm/v6, linux/arm/v7, -1",
    "linux/arm/v7, linux/arm64, -1",
    "linux/s390x, linux/amd64, -1",
    "linux/amd64, windows/amd64, -1"
  })
  void a_machine_runs_what_its_processor_can(String machine, String image, int rank) {
    assertThat(Platforms.rank(Platforms.parse(machine), Platforms.parse(image)))
        .isEqualTo(rank < 0 ? Optional.empty() : Optional.of(rank));
  }

  @Test
  void the_best_of_several_is_chosen_whatever_their_order() {
    List<String> offered = List.of("linux/arm/v5", "linux/arm/v7", "linux/arm/v6", "linux/amd64");
    assertThat(best("linux/arm/v7", offered)).contains("linux/arm/v7");
    assertThat(best("linux/arm/v6", offered)).contains("linux/arm/v6");
    assertThat(best("linux/arm64", offered)).contains("linux/arm/v7");
    assertThat(best("linux/s390x", offered)).isEmpty();
    assertThat(best("linux/s390x", List.of("", "linux/amd64"))).contains("");
  }

  private static Optional<String> best(String machine, List<String> offered) {
    return Platforms.best(
        Platforms.parse(machine),
        offered,
        o -> o.isEmpty() ? Optional.empty() : Optional.of(Platforms.parse(o)));
  }
}

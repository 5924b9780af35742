package io.jcontainerd.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class TaskOptionsTest {
  @Test
  void everything_is_measured_unless_words_choose() {
    TaskOptions all = TaskOptions.parse(List.of());
    assertThat(all.parallel()).containsExactly(1, 8, 64);
    assertThat(all.idle()).containsExactly(0, 10, 100, 300);
    TaskOptions some =
        TaskOptions.parse(
            List.of("--runtime", "crun", "--parallel", "8", "--idle", "", "--runs", "3"));
    assertThat(some.runtimes()).containsExactly("crun");
    assertThat(some.parallel()).containsExactly(8);
    assertThat(some.idle()).isEmpty();
    assertThat(some.runs()).isEqualTo(3);
  }

  @Test
  void what_it_does_not_know_is_named() {
    assertThatThrownBy(() -> TaskOptions.parse(List.of("--runtime", "youki")))
        .hasMessageContaining("youki");
    assertThatThrownBy(() -> TaskOptions.parse(List.of("--runs", "0")))
        .hasMessageContaining("--runs");
    assertThatThrownBy(() -> TaskOptions.parse(List.of("--what", "1")))
        .hasMessageContaining("--what");
    assertThatThrownBy(() -> TaskOptions.parse(List.of("--runs"))).hasMessageContaining("--runs");
  }

  @Test
  void a_quantile_is_one_of_the_values() {
    List<Double> values = List.of(4.0, 1.0, 3.0, 2.0);
    assertThat(Figures.quantile(values, 0.5)).isEqualTo(2.0);
    assertThat(Figures.quantile(values, 0.99)).isEqualTo(4.0);
    assertThat(Figures.quantile(List.of(7.0), 0.5)).isEqualTo(7.0);
  }
}

package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;

class GuardsTest {
  private final Guards guards = new Guards();

  @Test
  void a_sweep_that_is_closed_again_ends_no_other() {
    Guards.Sweep first = Objects.requireNonNull(guards.trySweep("a"));
    first.close();
    try (Guards.Sweep second = guards.trySweep("a")) {
      assertThat(second).isNotNull();
      first.close();
      assertThat(guards.trySweep("a")).isNull();
    }
  }
}

package io.jcontainerd.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChallengeTest {
  @Test
  void several_challenges_may_share_a_line() {
    assertThat(
            Challenge.parse(
                List.of(
                    "Basic realm=\"a, b\\\"c\", charset=utf-8, Bearer realm=\"https://x/t\" , scope=\"p q\"",
                    "Negotiate")))
        .containsExactly(
            new Challenge("basic", Map.of("realm", "a, b\"c", "charset", "utf-8")),
            new Challenge("bearer", Map.of("realm", "https://x/t", "scope", "p q")),
            new Challenge("negotiate", Map.of()));
  }

  @Test
  void nonsense_is_no_challenge() {
    assertThat(Challenge.parse(List.of("", "=\"", "\"x\""))).isEmpty();
  }
}

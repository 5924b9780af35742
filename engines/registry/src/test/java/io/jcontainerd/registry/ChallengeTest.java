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

  @Test
  void a_long_value_is_no_more_than_long() {
    String realm = "r".repeat(200_000);
    assertThat(Challenge.parse(List.of("Bearer realm=\"" + realm + "\"")))
        .containsExactly(new Challenge("bearer", Map.of("realm", realm)));
    String quoted = "\\q".repeat(2_000);
    assertThat(Challenge.parse(List.of("Bearer realm=\"" + quoted + "\"")))
        .containsExactly(new Challenge("bearer", Map.of("realm", "q".repeat(2_000))));
  }
}

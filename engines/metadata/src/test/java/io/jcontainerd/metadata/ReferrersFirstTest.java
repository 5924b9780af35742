package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReferrersFirstTest {
  private static List<String> order(List<String> nodes, Map<String, List<String>> references) {
    return ReferrersFirst.order(nodes, node -> references.getOrDefault(node, List.of()));
  }

  @Test
  void each_comes_before_what_it_refers_to() {
    assertThat(
            order(
                List.of("leaf", "config", "manifest", "index", "alone"),
                Map.of(
                    "index", List.of("manifest", "elsewhere"),
                    "manifest", List.of("config", "leaf"),
                    "config", List.of("leaf", "leaf"))))
        .containsExactly("index", "alone", "manifest", "config", "leaf");
  }

  @Test
  void circles_come_last_and_lose_nobody() {
    assertThat(
            order(
                List.of("a", "b", "c", "self", "below", "free"),
                Map.of(
                    "a", List.of("b"),
                    "b", List.of("a", "below"),
                    "free", List.of("a"),
                    "self", List.of("self"))))
        .containsExactly("c", "free", "a", "b", "self", "below");
  }
}

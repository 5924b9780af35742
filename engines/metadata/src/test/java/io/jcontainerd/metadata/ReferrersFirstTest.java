package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReferrersFirstTest {
  private static ReferrersFirst<String> order(
      List<String> nodes, Map<String, List<String>> references) {
    return ReferrersFirst.of(nodes, node -> references.getOrDefault(node, List.of()));
  }

  @Test
  void each_comes_before_what_it_refers_to() {
    var ordered =
        order(
            List.of("leaf", "config", "manifest", "index", "alone"),
            Map.of(
                "index", List.of("manifest", "elsewhere"),
                "manifest", List.of("config", "leaf"),
                "config", List.of("leaf", "leaf"),
                "elsewhere", List.of("alone")));
    assertThat(ordered.nodes()).containsExactly("index", "alone", "manifest", "config", "leaf");
    assertThat(ordered.coreBegin()).isEqualTo(5);
    assertThat(ordered.coreEnd()).isEqualTo(5);
  }

  @Test
  void circles_lie_between_what_refers_to_them_and_what_they_refer_to() {
    var ordered =
        order(
            List.of("layer", "parent", "a", "b", "c", "self", "between", "below", "free"),
            Map.of(
                "a", List.of("b"),
                "b", List.of("a", "below", "between"),
                "between", List.of("self"),
                "free", List.of("a"),
                "self", List.of("self", "layer"),
                "layer", List.of("parent"),
                "below", List.of("layer")));
    assertThat(ordered.nodes().subList(0, 2)).containsExactly("c", "free");
    assertThat(ordered.coreBegin()).isEqualTo(2);
    assertThat(ordered.nodes().subList(2, 6))
        .containsExactlyInAnyOrder("a", "b", "between", "self");
    assertThat(ordered.coreEnd()).isEqualTo(6);
    assertThat(ordered.nodes().subList(6, 9)).containsExactly("below", "layer", "parent");
  }
}

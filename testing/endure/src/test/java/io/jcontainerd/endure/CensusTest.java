package io.jcontainerd.endure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class CensusTest {
  private static Census of(String kind, SortedMap<String, Integer> names) {
    return new Census(new TreeMap<>(java.util.Map.of(kind, names)));
  }

  @Test
  void what_came_and_what_went_is_told_by_name() {
    Census before = of("files", new TreeMap<>(java.util.Map.of("a", 1, "b", 2)));
    Census after = of("files", new TreeMap<>(java.util.Map.of("b", 1, "c", 1)));
    assertThat(after.changesSince(before))
        .containsExactly("files: -1 a", "files: -1 b", "files: +1 c");
    assertThat(after.additionsSince(before)).containsExactly("files: +1 c");
    assertThat(after.count("files")).isEqualTo(2);
  }

  @Test
  void a_kind_that_is_new_counts_from_nothing() {
    Census before = new Census(new TreeMap<>());
    Census after = of("mounts", new TreeMap<>(java.util.Map.of("/m", 1)));
    assertThat(after.changesSince(before)).containsExactly("mounts: +1 /m");
    assertThat(before.changesSince(before)).isEmpty();
  }
}

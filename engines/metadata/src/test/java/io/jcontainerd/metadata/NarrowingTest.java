package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.core.images.ImageStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the tables are asked first lets nothing get lost that a filter would let pass. */
class NarrowingTest {
  private static final Map<List<String>, String> COLUMNS = Map.of(List.of("name"), "name");
  private static final Map<String, String> TEXTS = Map.of("labels", "labels");

  /** Among them all that the text of labels writes in another way, and beginnings of each other. */
  private static final List<String> WORDS =
      List.of("a", "ab", "b", "a=b", "a\\b", "a.b", "ü", "\uD83D\uDE00", "a b", "'", "%");

  @TempDir Path folder;

  private static Narrowing of(String... filters) {
    return Narrowing.of(Filter.any(List.of(filters)), COLUMNS, TEXTS);
  }

  @Test
  void equalities_are_asked_of_the_table() {
    assertThat(of("name==x")).isEqualTo(new Narrowing(" AND ((name = ?))", List.of("x")));
    assertThat(of("labels.team==red,name==x", "labels.\"a.b\"==c"))
        .isEqualTo(
            new Narrowing(
                " AND ((instr(labels, ?) > 0 AND name = ?) OR (instr(labels, ?) > 0))",
                List.of("team=red\n", "x", "a.b=c\n")));
  }

  @Test
  void what_no_column_tells_leaves_its_alternative_open() {
    Narrowing none = new Narrowing("", List.of());
    assertThat(of()).isEqualTo(none);
    assertThat(of("name!=x")).isEqualTo(none);
    assertThat(of("name~=x")).isEqualTo(none);
    assertThat(of("labels.team")).isEqualTo(none);
    assertThat(of("kind==x")).isEqualTo(none);
    assertThat(of("labels==x")).isEqualTo(none);
    assertThat(of("name==x", "kind==y")).isEqualTo(none);
    assertThat(of("name==x,kind==y").arguments()).containsExactly("x");
  }

  @Test
  void too_many_questions_are_not_asked() {
    String[] filters = new String[40];
    for (int i = 0; i < filters.length; i++) {
      filters[i] = "name==x" + i;
    }
    assertThat(of(filters)).isEqualTo(new Narrowing("", List.of()));
  }

  @Test
  void lists_show_what_the_filter_alone_would() {
    Random random = new Random(7);
    try (Fixture f = new Fixture(folder)) {
      int shown =
          f.in(
              Fixture.NS,
              () -> {
                for (int i = 0; i < 60; i++) {
                  String name = word(random) + i;
                  f.image(name, Fixture.digest(name), labels(random));
                }
                ImageStore images = f.metadata.images();
                int count = 0;
                for (int i = 0; i < 600; i++) {
                  Filter filter = Filter.any(List.of(equalities(random), equalities(random)));
                  List<Image> listed = images.list(filter);
                  assertThat(listed).isEqualTo(images.list(untold(filter)));
                  count += listed.size();
                }
                return count;
              });
      assertThat(shown).isGreaterThan(100);
    }
  }

  /** The same filter, of which nobody knows what it needs. */
  private static Filter untold(Filter filter) {
    return fields -> filter.matches(fields);
  }

  private static Map<String, String> labels(Random random) {
    return Map.of("x" + word(random), word(random), "y" + word(random), word(random));
  }

  private static String equalities(Random random) {
    return random.nextInt(4) == 0
        ? "name==" + quoted(word(random) + random.nextInt(60))
        : "labels." + quoted("x" + word(random)) + "==" + quoted(word(random));
  }

  private static String quoted(String word) {
    return '"' + word.replace("\\", "\\\\") + '"';
  }

  private static String word(Random random) {
    return WORDS.get(random.nextInt(WORDS.size()));
  }
}

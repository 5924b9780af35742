package io.jcontainerd.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextTest {
  @Test
  void labels_are_readable_and_sorted() {
    assertThat(LabelText.write(Map.of("b", "2", "a", "x=y"))).isEqualTo("a=x=y\nb=2\n");
    assertThat(LabelText.write(Map.of())).isEmpty();
  }

  @Test
  void any_labels_come_back_as_they_were() {
    long seed = Long.getLong("jcontainerd.test.seed", 1);
    Random random = new Random(seed);
    String alphabet = "ab=\\\n\r\tne\u00e4\u20ac";
    for (int round = 0; round < 2000; round++) {
      Map<String, String> labels = new HashMap<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        labels.put(text(random, alphabet), text(random, alphabet));
      }
      assertThat(LabelText.read(LabelText.write(labels))).as("seed %d", seed).isEqualTo(labels);
    }
  }

  private static String text(Random random, String alphabet) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(6); i > 0; i--) {
      text.append(alphabet.charAt(random.nextInt(alphabet.length())));
    }
    return text.toString();
  }

  @Test
  void labels_of_the_collector_that_make_no_sense_mean_nothing() {
    String prefix = "containerd.io/gc.";
    for (String time : List.of("", "soon", "2026", "+999999999-12-31T23:59:59Z", "2020-13-01T0")) {
      assertThat(GcLabels.expiry(Map.of(prefix + "expire", time))).as(time).isEmpty();
    }
    for (String key : List.of("ref", "ref.", "ref.contents", "ref.Image", "ref.snapshot", "bref")) {
      assertThat(GcLabels.references("n", Map.of(prefix + key, "x"))).as(key).isEmpty();
    }
    for (String value :
        List.of(
            "", "|", "x|k", "usedat|k", "usedat<|k", "usedat=1s|k", "usedat<1y|k", "usedat<1h")) {
      assertThat(GcLabels.conditions("n", Map.of(prefix + "cond.snapshot.o", value)))
          .as(value)
          .isEmpty();
    }
    assertThat(
            GcLabels.conditions("n", Map.of(prefix + "cond.snapshot", "usedat>2562047h|k"))
                .getFirst()
                .holds(Instant.MIN, Instant.MAX))
        .isTrue();
  }

  @Test
  void times_keep_their_nanoseconds_before_and_after_1970() {
    for (String text :
        List.of("1969-12-31T23:59:59.999999999Z", "2026-02-03T04:05:06.000000007Z")) {
      Instant time = Instant.parse(text);
      assertThat(Times.instant(Times.nanos(time))).isEqualTo(time);
    }
    assertThatThrownBy(() -> Times.nanos(Instant.parse("0001-01-01T00:00:00Z")))
        .isInstanceOf(InvalidArgumentException.class);
  }
}

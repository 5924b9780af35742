package io.jcontainerd.oci.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.50e-7",
        "18446744073709551615",
        "1E+400",
        "\"\"",
        "{\"b\":1,\"a\":{\"z\":[1,2,{}],\"y\":null}}",
        "\"\\u0000\\u001f\\\"\\\\/\\n\\t\\r\"",
        "\"é€😀\"",
        "\"\\ud800x\"",
        "[[[[]]]]"
      })
  void what_is_read_is_written_the_same(String text) {
    assertThat(Json.parse(text).toText()).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{\"a\":1}x",
        "{\"a\":1,}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\" 1}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "01",
        "1.",
        ".5",
        "+1",
        "--1",
        "-",
        "1e",
        "1.2.3",
        "tru",
        "truex",
        "nul",
        "NaN",
        "Infinity",
        "[",
        "{",
        "{\"a\":",
        "\"abc",
        "\"a\nb\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12",
        "]",
        "[1]]",
        "\ufeff{}",
        "// c\n{}",
        "'a'"
      })
  void what_is_not_json_is_refused(String text) {
    assertThatThrownBy(() -> Json.parse(text)).isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void bytes_that_are_not_utf_8_are_refused() {
    assertThatThrownBy(() -> Json.parse(new byte[] {'"', (byte) 0xff, '"'}))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("utf-8");
  }

  @Test
  void a_failure_says_where_and_what_was_expected() {
    assertThatThrownBy(() -> Json.parse("{\"a\": [1, }"))
        .hasMessage("json at character 10: expected a value, found '}'");
  }

  @Test
  void nesting_is_bounded() {
    assertThat(Json.parse("[".repeat(64) + "]".repeat(64)).kind()).isEqualTo("array");
    assertThatThrownBy(() -> Json.parse("[".repeat(65) + "]".repeat(65)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("too deeply");
    assertThatThrownBy(() -> Json.parse("[".repeat(100_000)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("too deeply");
  }

  @Test
  void the_deepest_document_fits_the_stack_of_a_thread_of_the_daemon() throws Exception {
    String text = "[{\"a\":".repeat(32) + "1" + "}]".repeat(32);
    FutureTask<Boolean> reading =
        new FutureTask<>(
            () -> {
              Json json = Json.parse(text);
              return json.equals(Json.parse(json.toText())) && json.hashCode() != 0;
            });
    Thread.ofPlatform().stackSize(256 << 10).start(reading);
    assertThat(reading.get()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "0", "{}", "\"\""})
  void megabytes_of_tiny_values_are_refused(String value) {
    String text = "[" + (value + ",").repeat(1 << 18) + value + "]";
    assertThatThrownBy(() -> Json.parse(text))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("more than 262144 values");
    assertThat(Json.parse("[" + (value + ",").repeat((1 << 18) - 2) + value + "]").kind())
        .isEqualTo("array");
  }

  @Test
  void of_two_fields_with_one_name_the_last_wins() {
    assertThat(Json.parse("{\"a\":1,\"b\":2,\"a\":[]}").toText()).isEqualTo("{\"a\":[],\"b\":2}");
  }

  @Test
  void numbers_without_end_are_refused() {
    assertThatThrownBy(() -> Json.parse("1".repeat(1001)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("not a json number");
  }

  @Test
  void escapes_are_decoded_to_characters() {
    assertThat(Json.parse("\"\\u00e9\\ud83d\\ude00\\/\\b\\f\"")).isEqualTo(Json.of("é😀/\b\f"));
  }

  @Test
  void a_changed_field_keeps_its_place_and_the_rest_stays() {
    JsonObject json = JsonObject.parse("{\"x\":1,\"y\":{\"p\":1.0,\"q\":[]},\"z\":null}");
    assertThat(json.withAt(List.of("y", "p"), Json.of("n")).with("x", 2).with("w", true).toText())
        .isEqualTo("{\"x\":2,\"y\":{\"p\":\"n\",\"q\":[]},\"z\":null,\"w\":true}");
    assertThat(json.withoutAt(List.of("y", "q")).toText())
        .isEqualTo("{\"x\":1,\"y\":{\"p\":1.0},\"z\":null}");
    assertThat(json.withoutAt(List.of("no", "such"))).isEqualTo(json);
    assertThat(json.withAt(List.of("z", "deep", "er"), Json.of(7)).at("z", "deep", "er"))
        .contains(Json.of(7));
  }

  @Test
  void a_field_of_another_type_is_named() {
    JsonObject json = JsonObject.parse("{\"a\":\"text\",\"n\":1.5,\"big\":18446744073709551615}");
    assertThatThrownBy(() -> json.object("a"))
        .hasMessage("json field a: expected an object, found string");
    assertThatThrownBy(() -> json.integer("n")).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> json.integer("big")).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> json.withAt(List.of("a", "b"), Json.of(1)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(json.string("absent")).isEmpty();
  }

  @Test
  void whole_numbers_in_other_notations_are_integers_too() {
    assertThat(new JsonNumber("1e3").longValue()).isEqualTo(1000);
    assertThat(new JsonNumber("5.0").longValue()).isEqualTo(5);
    assertThatThrownBy(() -> new JsonNumber("1e999999999").longValue())
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void pretty_text_reads_back_equal() {
    Json json = Json.parse("{\"a\":[1,{\"b\":[]}],\"c\":{}}");
    assertThat(json.toPrettyText())
        .isEqualTo(
            """
        {
          "a": [
            1,
            {
              "b": []
            }
          ],
          "c": {}
        }""");
    assertThat(Json.parse(json.toPrettyText().getBytes(StandardCharsets.UTF_8))).isEqualTo(json);
  }
}

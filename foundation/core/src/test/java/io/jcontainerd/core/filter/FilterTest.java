package io.jcontainerd.core.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FilterTest {
  private static final Map<String, String> LABELS =
      Map.of(
          "tier", "web",
          "a.b", "dotted",
          "io.example/kind", "container",
          "quote\"back\\", "yes",
          "empty", "");

  private static final Fields THING =
      path ->
          switch (path.getFirst()) {
            case "name" -> Optional.of("docker.io/library/busybox:latest");
            case "other" -> Optional.of("two words, yes");
            case "labels" -> Fields.entry(LABELS, path);
            default -> Optional.empty();
          };

  private static boolean matches(String filter) {
    return Filter.parse(filter).matches(THING);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "name",
        "labels.tier",
        "labels.empty",
        "labels.empty==\"\"",
        "name==docker.io/library/busybox:latest",
        "name != x",
        "labels.tier==web, name",
        "labels.a.b==dotted",
        "labels.\"a.b\"==dotted",
        "labels.\"io.example/kind\"==container",
        "labels.\"quote\\\"back\\\\\"==yes",
        "labels.absent!=anything",
        "absent!=anything",
        "other==\"two words, yes\"",
        "other==\"two\\x20words\\u002c\\040yes\"",
        "name~=busy",
        "name~=^docker\\.io/",
        "name~=/busybox:[a-z]+$/",
        "name~=|library/busybox|",
        "name~=\"box:(latest|edge)$\"",
        "labels.tier~=w.b,name~=(?i)BUSYBOX",
      })
  void holds(String filter) {
    assertThat(matches(filter)).as(filter).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "absent",
        "labels.absent",
        "absent==x",
        "absent~=/.*/",
        "labels.tier==we",
        "labels.tier!=web",
        "name,absent",
        "name~=^busybox",
        "name~=(unclosed",
        "name~=(?=docker)",
        "name~=busybox++",
      })
  void does_not_hold(String filter) {
    assertThat(matches(filter)).as(filter).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "name=,;[name >|=|< ,]: unsupported operator \"=\"",
        "name===x;[name >|=|< ==x]: unsupported operator \"===\"",
        "name==foo,;[name==foo,]: expected field or quoted",
        "labels.;[labels.]: expected field or quoted",
        ".;[ >|.|< ]: expected field or quoted",
        "labels.?x;[labels. >|?|< x]: expected field or quoted",
        "labels.|x|;[labels. >|||< x|]: invalid quote encountered",
        "labels.ns/key==v;[labels.ns >|/|< key==v]: quoted literal not terminated",
        "name==/x;[name== >|/|< x]: quoted literal not terminated",
        "name==/x/;[name== >|/|< x/]: invalid quote encountered",
        "name==\"\\q\";[name== >|\"|< \\q\"]: illegal escape sequence",
        "name==\"\\x4\";[name== >|\"|< \\x4\"]: illegal numeric escape sequence",
        "name~=.*;[name~= >|.|< *]: expected value or quoted",
        "name!=,id;[name!= >|,|< id]: expected value or quoted",
        "name==;[name==]: expected value or quoted",
        "name$;[name >|$|< ]: expected an operator (\"==\"|\"!=\"|\"~=\")",
        "labels.a-b==x;[labels.a >|-|< b==x]: expected an operator (\"==\"|\"!=\"|\"~=\")",
        "name==a b;[name==a >| |< b]: unexpected input:  ",
        "name==ü b;[name==ü >| |< b]: unexpected input:  ",
      })
  void a_syntax_error_shows_the_place(String filter, String message) {
    assertThatThrownBy(() -> Filter.parse(filter))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("filters: parse error: " + message);
  }

  @Test
  void one_of_several_filters_is_enough() {
    assertThat(Filter.any(List.of("absent", "labels.tier==web")).matches(THING)).isTrue();
    assertThat(Filter.any(List.of("absent", "labels.tier==db")).matches(THING)).isFalse();
  }

  @Test
  void no_filter_and_an_empty_one_match_everything() {
    assertThat(Filter.any(List.of()).matches(THING)).isTrue();
    assertThat(Filter.any(List.of("absent", "")).matches(THING)).isTrue();
  }

  @Test
  void one_bad_filter_spoils_all() {
    assertThatThrownBy(() -> Filter.any(List.of("", "a=")))
        .isInstanceOf(InvalidArgumentException.class);
  }
}

package io.jcontainerd.core.filter;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = ' ',
      value = {
        "a.c xabcx true",
        "^b abc false",
        "c$ abc true",
        "^$ '' true",
        "a|b|cd xcd true",
        "(?P<name>x)y xy true",
        "(?<name_2>x)y xy true",
        "(?i)ÄB äb true",
        "(?i:a)B AB true",
        "(?i:a)B Ab false",
        "a{2,3}b xaab true",
        "^a{2}$ aaa false",
        "a{,2} a{,2} true",
        "a{,2} aa false",
        "x{0} y true",
        "[[:alpha:]]+[[:^digit:]] ab true",
        "[]a]b ]b true",
        "[a&&b] & true",
        "[^a-c] abc false",
        "[^a-c] abd true",
        "[a\\-z] - true",
        "[\\d_]+$ 12_ true",
        "\\pL\\p{Nd}\\p{Greek} x7λ true",
        "\\pL\\p{Nd} xλ false",
        "\\p{^Greek} λ false",
        "\\x{3bb}\\x41 λA true",
        "\\Qa.b\\E+$ a.bb true",
        "\\Qa.b axb false",
        "\\bcd\\b ab-cd-e true",
        "\\bcd\\b abcd false",
        "\\Aab\\z ab true",
        "(a*)*b aaab true",
        "(|a)+c aac true",
        "^(?:a?){3}a{3}$ aaa true",
        "\\.\\/ ./ true",
        "(?U)a+? aa true",
        "(?-s). x true",
      })
  void finds_like_re2(String expression, String text, boolean found) {
    assertThat(Regex.compile(expression).orElseThrow().find(text)).isEqualTo(found);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        ")",
        "[",
        "a**",
        "*a",
        "a{1001}",
        "a{3,2}",
        "\\1",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        "(?>a)",
        "a++",
        "\\Z",
        "\\R",
        "\\k<n>",
        "[b-a]",
        "[[:nope:]]",
        "\\p{Nope}",
        "\\x{110000}",
        "(?i)*",
        "(?-)",
        "\\",
        "((a{1000}){1000}){1000}",
        "(((((){1000}){1000}){1000}){1000}){1000}",
        "((((){1000,}){1000}){1000}){1000}"
      })
  @Timeout(60)
  void what_re2_refuses_is_refused(String expression) {
    assertThat(Regex.compile(expression)).as(expression).isEmpty();
  }

  @Test
  void lines_and_dots_follow_flags() {
    assertThat(find("^b$", "a\nb\nc")).isFalse();
    assertThat(find("(?m)^b$", "a\nb\nc")).isTrue();
    assertThat(find("a.b", "a\nb")).isFalse();
    assertThat(find("(?s)a.b", "a\nb")).isTrue();
    assertThat(find("a$", "a\n")).isFalse();
    assertThat(find("a.b", "a\rb")).isTrue();
  }

  @Test
  void a_hostile_expression_takes_linear_time_and_no_stack() {
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () -> {
          assertThat(find("^(a+)+$", "a".repeat(50_000) + "b")).isFalse();
          assertThat(find("^(a|b|ab)*c$", "ab".repeat(50_000))).isFalse();
        });
    assertThat(Regex.compile("(".repeat(10_000))).isEmpty();
  }

  /** On the syntax that both share, {@code java.util.regex} is the reference. */
  @Test
  void agrees_with_the_jdk_on_common_syntax() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    for (int i = 0; i < 3000; i++) {
      String expression = randomExpression(random, 3);
      String text = randomText(random);
      assertThat(find(expression, text))
          .as("seed %d, expression %s, text %s", seed, expression, text)
          .isEqualTo(Pattern.compile(expression).matcher(text).find());
    }
  }

  private static String randomExpression(Random random, int depth) {
    if (depth == 0) {
      return List.of("a", "b", "c", ".", "[ab]", "[^a]", "\\w", "\\b").get(random.nextInt(8));
    }
    String one = randomExpression(random, depth - 1);
    String two = randomExpression(random, depth - 1);
    return switch (random.nextInt(6)) {
      case 0 -> one + two;
      case 1 -> "(" + one + "|" + two + ")";
      case 2 -> "(" + one + ")*" + two;
      case 3 -> "(?:" + one + ")+" + two;
      case 4 -> "(" + one + "){1,2}?" + two;
      default -> "^" + one + two;
    };
  }

  private static String randomText(Random random) {
    var text = new StringBuilder();
    int length = random.nextInt(8);
    for (int i = 0; i < length; i++) {
      text.append("abc-".charAt(random.nextInt(4)));
    }
    return text.toString();
  }

  private static boolean find(String expression, String text) {
    return Regex.compile(expression).orElseThrow().find(text);
  }
}

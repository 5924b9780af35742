package io.jcontainerd.oci.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceTest {
  private static final String D =
      "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

  @ParameterizedTest
  @CsvSource({
    "busybox, docker.io/library/busybox",
    "busybox:1.36, docker.io/library/busybox:1.36",
    "user/app, docker.io/user/app",
    "docker.io/busybox, docker.io/library/busybox",
    "index.docker.io/busybox:a, docker.io/library/busybox:a",
    "quay.io/x/y:z, quay.io/x/y:z",
    "localhost/x, localhost/x",
    "localhost:5000/x:1, localhost:5000/x:1",
    "127.0.0.1:5000/a/b/c__d-e.f:T_1.2-3, 127.0.0.1:5000/a/b/c__d-e.f:T_1.2-3",
    "[::1]:5000/x, [::1]:5000/x",
    "HOST/x, HOST/x",
    "registry:5000/x, registry:5000/x",
    "a--b/c, docker.io/a--b/c",
    "busybox:5000, docker.io/library/busybox:5000"
  })
  void a_name_is_completed(String text, String full) {
    Reference reference = Reference.parse(text);
    assertThat(reference).hasToString(full);
    assertThat(Reference.parse(full)).isEqualTo(reference);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ":tag",
        "@",
        "Busybox",
        "docker.io/Library/x",
        "a/",
        "/a",
        "a//b",
        "a_-b",
        "a..b/c",
        "-a/b",
        "x:",
        "x:-t",
        "x:t t",
        "x@sha256:abc",
        "x@md5:e3b0c44298fc1c149afbf4c8996fb924",
        "http://x.io/y",
        "x y",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "a.b:x/c",
        "x:t:u"
      })
  void what_is_no_name_is_refused_and_shown(String text) {
    assertThatThrownBy(() -> Reference.parse(text))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("image reference \"" + text + "\"");
  }

  @Test
  void names_and_tags_have_a_longest_form() {
    assertThat(Reference.parse("h.io/" + "a".repeat(250)).path()).hasSize(250);
    assertThatThrownBy(() -> Reference.parse("h.io/" + "a".repeat(251)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(Reference.parse("x:" + "t".repeat(128)).tag().orElseThrow()).hasSize(128);
    assertThatThrownBy(() -> Reference.parse("x:" + "t".repeat(129)))
        .isInstanceOf(InvalidArgumentException.class);
  }

  /** The patterns go deeper with every component, so what is too long must not come to them. */
  @Test
  void names_without_end_are_refused_and_not_shown_whole() {
    for (String part : List.of("a.", "a/", "A.", "a-", ":", "@", "[", "a:", "a@", "-")) {
      String text = part.repeat(200_000) + "a";
      assertThatThrownBy(() -> Reference.parse(text))
          .isInstanceOf(InvalidArgumentException.class)
          .message()
          .startsWith("image reference \"")
          .hasSizeLessThan(200);
      assertThatThrownBy(() -> new Reference(text, text, Optional.empty(), Optional.empty()))
          .isInstanceOf(InvalidArgumentException.class);
    }
    String longest = "h.io/" + "a.".repeat(124) + "a";
    assertThat(
            Reference.parse(longest + ":" + "t".repeat(128) + "@sha512:" + "a".repeat(128)).path())
        .hasSize(249);
  }

  @Test
  void a_digest_says_more_than_a_tag() {
    Reference both = Reference.parse("quay.io/a/b:c@" + D);
    assertThat(both.object()).isEqualTo(D);
    assertThat(both.tag()).contains("c");
    assertThat(both).hasToString("quay.io/a/b:c@" + D);
    assertThat(both.withDefaultTag()).isEqualTo(both);
  }

  @Test
  void the_default_tag_is_added_only_when_asked_for() {
    assertThat(Reference.parse("busybox").tag()).isEmpty();
    assertThat(Reference.parse("busybox").withDefaultTag())
        .hasToString("docker.io/library/busybox:latest");
  }

  @ParameterizedTest
  @CsvSource({
    "docker.io/library/busybox:1, busybox:1",
    "docker.io/user/app, user/app",
    "docker.io/library/a/b, library/a/b",
    "docker.io/a.b/c, docker.io/a.b/c",
    "docker.io/localhost/c, docker.io/localhost/c",
    "quay.io/a/b, quay.io/a/b"
  })
  void the_familiar_form_is_short_and_means_the_same(String full, String familiar) {
    assertThat(Reference.parse(full).familiar()).isEqualTo(familiar);
    assertThat(Reference.parse(familiar)).isEqualTo(Reference.parse(full));
  }
}

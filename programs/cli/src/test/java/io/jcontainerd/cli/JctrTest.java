package io.jcontainerd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.failure.PermissionDeniedException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JctrTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    return Jctr.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
  }

  @ParameterizedTest
  @ValueSource(strings = {"fsck", "du", "why-kept", "scrub", "images", "ops", "events"})
  void every_command_explains_itself_with_examples(String command) {
    assertThat(run(command, "--help")).isZero();
    assertThat(out.toString()).contains("Examples:").contains("jctr " + command);
  }

  @ParameterizedTest
  @ValueSource(strings = {"pull", "push", "import", "export", "tag", "explain"})
  void every_command_of_images_explains_itself_with_examples(String command) {
    assertThat(run("images", command, "--help")).isZero();
    assertThat(out.toString()).contains("Examples:").contains("jctr images " + command);
  }

  @ParameterizedTest
  @ValueSource(strings = {"watch", "cancel", "join"})
  void every_command_of_ops_explains_itself_with_examples(String command) {
    assertThat(run("ops", command, "--help")).isZero();
    assertThat(out.toString()).contains("Examples:").contains("jctr ops " + command);
  }

  @Test
  void a_cursor_is_a_number_or_one_of_two_words() {
    assertThat(run("events", "--from", "yesterday")).isEqualTo(Jctr.MISUSED);
    assertThat(err.toString()).contains("neither a number, nor oldest, nor now");
  }

  @Test
  void an_export_needs_an_image() {
    assertThat(run("images", "export", "file.tar")).isEqualTo(Jctr.MISUSED);
    assertThat(err.toString()).contains("IMAGE");
  }

  @Test
  void without_a_daemon_it_says_what_to_do() {
    assertThat(run("du", "--address", "/nonexistent.sock")).isEqualTo(Jctr.FAILED);
    assertThat(err.toString()).contains("is the daemon running?");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void what_a_verifier_refuses_is_no_matter_of_the_socket() {
    assertThat(Advice.next(new PermissionDeniedException("socket /x"))).isNotEmpty();
    assertThat(Advice.next(new PermissionDeniedException("image r/a:1: verifier x refused it")))
        .isEmpty();
  }

  @Test
  void what_is_not_understood_is_refused_with_the_near_word() {
    assertThat(run("fsck", "--depe")).isEqualTo(Jctr.MISUSED);
    assertThat(err.toString()).contains("--deep");
    assertThat(run("fsk")).isEqualTo(Jctr.MISUSED);
    assertThat(err.toString()).contains("fsck");
  }

  @Test
  void a_format_must_be_one_of_two() {
    assertThat(run("du", "--format", "xml")).isEqualTo(Jctr.MISUSED);
    assertThat(err.toString()).contains("table, json");
  }
}

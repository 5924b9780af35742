package io.jcontainerd.transfer.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.images.ImageVerifier.Judgement;
import io.jcontainerd.core.ports.Processes.Finished;
import io.jcontainerd.core.ports.Processes.Spawn;
import io.jcontainerd.oci.image.Descriptors;
import io.jcontainerd.oci.image.MediaTypes;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.testkit.process.ScriptedProcesses;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BindirVerifierTest {
  private static final Descriptor IMAGE =
      new Descriptor(
          MediaTypes.MANIFEST, Digest.sha256(new byte[] {1}), 17, Map.of("note", "a \"b\""));

  @TempDir Path folder;
  private final Map<String, Finished> ends = new HashMap<>();
  private final ScriptedProcesses processes = new ScriptedProcesses(this::end);

  private Finished end(Spawn spawn) throws IOException {
    Finished finished = ends.get(name(spawn));
    if (finished == null) {
      throw new IOException("Exec format error");
    }
    return finished;
  }

  private static String name(Spawn spawn) {
    return String.valueOf(Path.of(spawn.command().getFirst()).getFileName());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private void verifier(String name, int status, String output) throws IOException {
    Files.writeString(folder.resolve(name), "");
    ends.put(name, new Finished(status, bytes(output), bytes("noise")));
  }

  private Judgement verify(long most) throws InterruptedException {
    return new BindirVerifier(folder, most, Duration.ofSeconds(7), processes, Map.of("A", "b"))
        .verify("r.example/a:1", IMAGE);
  }

  private List<String> asked() {
    return processes.spawned().stream().map(BindirVerifierTest::name).toList();
  }

  @Test
  void a_verifier_is_told_the_image_in_its_arguments_and_on_its_input() throws Exception {
    verifier("a", 0, "good\n");
    assertThat(verify(10)).isEqualTo(new Judgement(true, "a: good"));
    Spawn spawn = processes.spawned().getFirst();
    assertThat(spawn.command())
        .containsExactly(
            folder.resolve("a").toString(),
            "-name",
            "r.example/a:1",
            "-digest",
            IMAGE.digest().toString(),
            "-stdin-media-type",
            "application/vnd.oci.descriptor.v1+json");
    assertThat(Descriptors.parse(JsonObject.parse(spawn.input()))).isEqualTo(IMAGE);
    assertThat(spawn.environment()).isEqualTo(Map.of("A", "b"));
    assertThat(spawn.endsWithGroup()).isTrue();
  }

  @Test
  void they_are_asked_by_name_and_all_reasons_are_told() throws Exception {
    verifier("30", 0, "third");
    verifier("10", 0, "first");
    verifier("20", 0, "");
    assertThat(verify(10)).isEqualTo(new Judgement(true, "10: first, 20, 30: third"));
    assertThat(asked()).containsExactly("10", "20", "30");
  }

  @Test
  void the_first_that_refuses_is_named_with_its_reason() throws Exception {
    verifier("a", 0, "good");
    verifier("b", 3, "no signature\nby anybody\n");
    verifier("c", 0, "good");
    assertThat(verify(10))
        .isEqualTo(
            new Judgement(false, "verifier b refused it (status 3): no signature by anybody"));
    assertThat(asked()).containsExactly("a", "b");
  }

  @Test
  void a_refusal_needs_no_reason() throws Exception {
    verifier("a", 137, "");
    assertThat(verify(10)).isEqualTo(new Judgement(false, "verifier a refused it (status 137)"));
  }

  @ParameterizedTest
  @CsvSource({"-1, 3", "0, 0", "1, 1", "2, 2", "3, 3", "4, 3"})
  void so_many_are_asked(long most, int expected) throws Exception {
    verifier("a", 0, "");
    verifier("b", 0, "");
    verifier("c", 0, "");
    assertThat(verify(most).isAllowed()).isTrue();
    assertThat(asked()).hasSize(expected);
  }

  @Test
  void without_verifiers_everything_is_allowed() throws Exception {
    assertThat(verify(10)).isEqualTo(new Judgement(true, ""));
    Files.delete(folder);
    assertThat(verify(10)).isEqualTo(new Judgement(true, ""));
    Files.createDirectory(folder);
  }

  @Test
  void what_cannot_be_started_allows_nothing() throws Exception {
    verifier("a", 0, "good");
    Files.writeString(folder.resolve("b"), "no program");
    assertThatThrownBy(() -> verify(10))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("verifier b cannot be asked: Exec format error");
  }

  @Test
  void a_folder_that_is_none_allows_nothing() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(
            () ->
                new BindirVerifier(file, 10, Duration.ofSeconds(7), processes, Map.of())
                    .verify("r.example/a:1", IMAGE))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining(file.toString());
  }

  @Test
  void who_takes_too_long_is_named_with_the_time() throws Exception {
    Files.writeString(folder.resolve("slow"), "");
    var slow =
        new ScriptedProcesses(
            _ -> {
              throw new DeadlineExceededException("program slow");
            });
    assertThatThrownBy(
            () ->
                new BindirVerifier(folder, 10, Duration.ofSeconds(7), slow, Map.of())
                    .verify("r.example/a:1", IMAGE))
        .isInstanceOf(UnavailableException.class)
        .hasMessage("verifier slow did not answer within 7000 ms and was killed");
  }

  @Test
  void a_long_reason_is_cut() throws Exception {
    verifier("a", 1, "x".repeat(30_000));
    String reason = verify(10).reason();
    assertThat(reason).hasSizeLessThan(2200).endsWith("x…");
  }
}

package io.jcontainerd.registry.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The client against servers that do what the specification allows, and what it does not. Each case
 * is a line of a table, which is printed and left in {@code target/conformance.tsv}.
 */
@Timeout(120)
class RegistryConformanceTest {
  private static final List<String> LINES = new CopyOnWriteArrayList<>();
  private static final List<String> FAILED = new CopyOnWriteArrayList<>();

  static Stream<Case> cases() {
    return Stream.of(
            ResolveCases.all(),
            FetchCases.all(),
            AuthCases.all(),
            RedirectCases.all(),
            RetryCases.all(),
            MirrorCases.all(),
            ProtocolCases.all(),
            ListCases.all(),
            BlobPushCases.all(),
            ManifestPushCases.all(),
            HostileCases.all())
        .flatMap(List::stream);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void what_comes_of_it_is_as_expected(Case one) throws Exception {
    String got;
    try {
      got = one.got();
    } catch (AssertionError e) {
      note(one, String.valueOf(e.getMessage()).strip().replaceAll("\\s+", " "));
      throw e;
    }
    note(one, got);
    assertThat(got).as(one.spec()).isEqualTo(one.expected());
  }

  private static void note(Case one, String got) {
    LINES.add(String.join("\t", one.name(), one.spec(), one.expected(), got));
    if (!got.equals(one.expected())) {
      FAILED.add(one.name());
    }
  }

  @AfterAll
  static void print() throws IOException {
    List<String> lines = new ArrayList<>(List.of("CASE\tSPEC\tEXPECTED\tGOT"));
    lines.addAll(LINES);
    lines.forEach(line -> System.out.println(line.replace("\t", " | ")));
    System.out.printf(
        "%d cases of %d as expected%n", LINES.size() - FAILED.size(), cases().count());
    Files.write(Files.createDirectories(Path.of("target")).resolve("conformance.tsv"), lines);
  }

  @Test
  void names_are_told_apart_and_there_are_enough() {
    List<String> names = cases().map(Case::name).toList();
    assertThat(names).doesNotHaveDuplicates().hasSizeGreaterThan(100);
  }

  @Test
  void a_secret_in_a_message_is_noticed() throws Exception {
    try (Scene scene = new Scene()) {
      scene.outcome(
          () -> {
            throw new IOException("password " + Scene.SECRET + "-1");
          });
      assertThat(org.assertj.core.api.Assertions.catchThrowable(scene::checkSecrets))
          .isInstanceOf(AssertionError.class);
    }
  }

  @Test
  void a_case_that_goes_wrong_is_noticed() throws Exception {
    Case wrong =
        new Case(
            "a wrong one",
            "-",
            "GET 200 => resolved",
            scene -> {
              scene.registry(scene.usual);
              return scene.resolve();
            });
    assertThat(wrong.got()).isEqualTo("HEAD 200 => resolved").isNotEqualTo(wrong.expected());
  }
}

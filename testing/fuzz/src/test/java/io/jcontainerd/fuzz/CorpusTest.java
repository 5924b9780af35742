package io.jcontainerd.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.jcontainerd.metadata.LabelsTarget;
import io.jcontainerd.ttrpc.FramesTarget;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every input that is kept, seeds and what the fuzzer found, through its target. */
class CorpusTest {
  private static final Path CORPUS = Path.of("src/test/corpus");
  private static final Duration LIMIT = Duration.ofMinutes(2);

  private interface Target {
    void run(byte[] input) throws Exception;
  }

  private static final Map<String, Target> UNPRIVILEGED =
      Map.of(
          "tar", TarTarget::fuzzerTestOneInput,
          "archive", ArchiveTarget::fuzzerTestOneInput,
          "document", DocumentTarget::fuzzerTestOneInput,
          "filter", FilterTarget::fuzzerTestOneInput,
          "labels", LabelsTarget::fuzzerTestOneInput,
          "config", ConfigTarget::fuzzerTestOneInput,
          "frames", FramesTarget::fuzzerTestOneInput,
          "reference", ReferenceTarget::fuzzerTestOneInput);

  private static List<Path> inputs(String target) throws IOException {
    try (Stream<Path> files = Files.list(CORPUS.resolve(target))) {
      return files.sorted().toList();
    }
  }

  private static Stream<DynamicTest> tests(String name, Target target) throws IOException {
    return inputs(name).stream()
        .map(
            file ->
                DynamicTest.dynamicTest(
                    name + "/" + file.getFileName(),
                    () ->
                        assertTimeoutPreemptively(
                            LIMIT, () -> target.run(Files.readAllBytes(file)))));
  }

  @TestFactory
  Stream<DynamicTest> inputs_of_every_target() throws IOException {
    Stream<DynamicTest> all = Stream.of();
    for (Map.Entry<String, Target> target : UNPRIVILEGED.entrySet()) {
      all = Stream.concat(all, tests(target.getKey(), target.getValue()));
    }
    return all;
  }

  @TestFactory
  @Tag("root")
  Stream<DynamicTest> layers() throws IOException {
    return tests("layer", LayerTarget::fuzzerTestOneInput);
  }

  @Test
  void every_target_has_seeds_and_every_folder_a_target() throws IOException {
    try (Stream<Path> folders = Files.list(CORPUS)) {
      assertThat(folders.map(Path::getFileName).map(Path::toString))
          .containsExactlyInAnyOrderElementsOf(
              Stream.concat(UNPRIVILEGED.keySet().stream(), Stream.of("layer")).toList());
    }
    for (String target : UNPRIVILEGED.keySet()) {
      assertThat(inputs(target)).as(target).hasSizeGreaterThan(3);
    }
  }
}

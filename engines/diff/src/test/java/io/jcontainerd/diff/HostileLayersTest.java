package io.jcontainerd.diff;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each layer of {@link HostileLayers}, into a plain folder and into an overlay. */
@Tag("root")
class HostileLayersTest {
  @TempDir Path temp;

  static Stream<HostileLayers.Hostile> layers() {
    return HostileLayers.all().stream();
  }

  @ParameterizedTest
  @MethodSource("layers")
  void a_hostile_layer_is_refused_or_contained(HostileLayers.Hostile layer) throws Exception {
    new HostileScene(temp, HostileLayers.LIMITS).check(layer);
  }

  @Test
  void there_is_a_good_number_of_them_and_no_two_have_one_name() {
    assertThat(layers().map(HostileLayers.Hostile::name)).doesNotHaveDuplicates();
    assertThat(layers()).hasSizeGreaterThan(100);
  }

  /** The heap and the stacks are those of the daemon, which ends when they do not suffice. */
  @Test
  void all_of_them_together_fit_the_memory_of_the_daemon() throws Exception {
    List<String> paths = new ArrayList<>();
    for (String property : List.of("java.class.path", "jdk.module.path")) {
      paths.add(System.getProperty(property, ""));
    }
    paths.add(Path.of("target", "test-classes").toAbsolutePath().toString());
    paths.add(Path.of("target", "classes").toAbsolutePath().toString());
    Path log = temp.resolve("log");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "-Xss256k",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(File.pathSeparator, paths),
                HostileScene.class.getName(),
                temp.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(process.waitFor()).as(Files.readString(log)).isZero();
    assertThat(Files.readString(log)).contains("0 of " + HostileLayers.all().size() + " failed");
  }
}

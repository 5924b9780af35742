package io.jcontainerd.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where the native library goes, seen in processes of their own: it is loaded once in each. */
@Timeout(600)
class NativeLibraryTest {
  @TempDir Path folder;
  @TempDir Path temporary;

  /** Opens a store and ends without closing it, as a killed daemon does. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      Store store = Store.open(Path.of(arguments[0]), StoreOptions.DEFAULTS, List.of());
      System.out.println("last event " + store.lastEvent());
      System.out.flush();
      Runtime.getRuntime().halt(0);
    }
  }

  private String run() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                String.join(
                    File.pathSeparator,
                    System.getProperty("jdk.module.path", ""),
                    System.getProperty("java.class.path"),
                    Path.of("target/test-classes").toAbsolutePath().toString()),
                Child.class.getName(),
                folder.resolve("test.db").toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(child.waitFor(180, TimeUnit.SECONDS)).isTrue();
    return output;
  }

  private Path library() throws Exception {
    Path libraries = folder.resolve("lib");
    return libraries
        .resolve(names(libraries).getFirst())
        .resolve(System.mapLibraryName("sqlitejdbc"));
  }

  private static List<String> names(Path folder) throws Exception {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void the_library_stays_below_the_store_and_nothing_is_left_in_the_temporary_folder()
      throws Exception {
    assertThat(run()).contains("last event 0");
    assertThat(library()).exists();
    assertThat(run()).contains("last event 0");
    assertThat(names(temporary).stream().filter(name -> !name.startsWith("hsperfdata"))).isEmpty();
    assertThat(names(folder.resolve("lib"))).hasSize(1);
    assertThat(names(library().resolveSibling(""))).containsExactly("libsqlitejdbc.so");
  }

  @Test
  void a_library_damaged_by_a_power_cut_is_replaced() throws Exception {
    assertThat(run()).contains("last event 0");
    Path library = library();
    Files.write(library, new byte[Math.toIntExact(Files.size(library))]);
    assertThat(run()).contains("last event 0");
    assertThat(Files.readAllBytes(library)).startsWith(0x7f, 'E', 'L', 'F');
  }

  @Test
  void a_library_of_another_version_is_removed() throws Exception {
    Files.createDirectories(folder.resolve("lib/sqlite-1"));
    Files.writeString(folder.resolve("lib/sqlite-1/libsqlitejdbc.so"), "old");
    assertThat(run()).contains("last event 0");
    assertThat(names(folder.resolve("lib"))).hasSize(1).doesNotContain("sqlite-1");
  }
}

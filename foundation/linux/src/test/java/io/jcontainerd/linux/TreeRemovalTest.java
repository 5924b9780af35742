package io.jcontainerd.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@Timeout(600)
class TreeRemovalTest {
  @TempDir Path folder;

  /** Removes the tree that is its argument; run in a small virtual machine. */
  static final class Removing {
    private Removing() {}

    public static void main(String[] arguments) throws Exception {
      new LinuxFiles().deleteTree(Path.of(arguments[0]));
    }
  }

  private static void removeInSmallMachine(Path tree) throws Exception {
    String path =
        String.join(
            File.pathSeparator,
            System.getProperty("java.class.path", ""),
            System.getProperty("jdk.module.path", ""),
            "target/test-classes",
            "target/classes");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx8m",
                "-Xss256k",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                path,
                Removing.class.getName(),
                tree.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
  }

  @Test
  void a_folder_with_more_names_than_fit_into_memory_is_removed() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    try (Directory open = Directory.open(tree)) {
      String long240 = "n".repeat(240);
      for (int i = 0; i < 40_000; i++) {
        open.makeNode(RawPath.of(long240 + i), FileStat.Type.FIFO, 0600, 0);
      }
    }
    removeInSmallMachine(tree);
    assertThat(tree).doesNotExist();
  }

  @Test
  void more_folders_than_are_remembered_are_removed_at_every_level() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    try (Directory open = Directory.open(tree)) {
      for (int i = 0; i < 4500; i++) {
        RawPath name = RawPath.of("d" + i);
        open.makeDirectory(name, 0700);
        try (Directory child = open.openChild(name)) {
          child.makeDirectory(RawPath.of("below"), 0700);
        }
      }
      try (Directory child = open.openChild(RawPath.of("d1"))) {
        for (int i = 0; i < 4500; i++) {
          RawPath name = RawPath.of("e" + i);
          child.makeDirectory(name, 0700);
          try (Directory grandchild = child.openChild(name)) {
            grandchild.makeDirectory(RawPath.of("below"), 0700);
          }
        }
      }
    }
    new LinuxFiles().deleteTree(tree);
    assertThat(tree).doesNotExist();
  }

  @Test
  void a_tree_of_any_depth_is_removed_in_little_memory() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    makeChain(tree, 15_000);
    removeInSmallMachine(tree);
    assertThat(tree).doesNotExist();
  }

  private static void makeChain(Path top, int depth) throws ErrnoException {
    Directory at = Directory.open(top);
    try {
      RawPath name = RawPath.of("d");
      for (int i = 0; i < depth; i++) {
        at.makeDirectory(name, 0700);
        Directory child = at.openChild(name);
        at.close();
        at = child;
      }
    } finally {
      at.close();
    }
  }

  @Test
  void the_words_for_a_deep_folder_stay_short_and_name_both_ends() throws Exception {
    Path top = Files.createDirectory(folder.resolve("tree"));
    makeChain(top, 300);
    Directory at = Directory.open(top);
    try {
      for (int i = 0; i < 300; i++) {
        Directory child = at.openChild(RawPath.of("d"));
        at.close();
        at = child;
      }
      assertThat(at.toString()).startsWith(top + "/d/").endsWith("\u2026/d").hasSizeLessThan(400);
      Directory up = at.openParent();
      at.close();
      at = up;
      assertThat(at.toString()).endsWith("\u2026/..");
    } finally {
      at.close();
    }
    try (Directory open = Directory.open(top);
        Directory child = open.openChild(RawPath.of("d"));
        Directory back = child.openParent()) {
      assertThat(child.toString()).isEqualTo(top + "/d");
      assertThat(back.toString()).isEqualTo(top.toString());
    }
    new LinuxFiles().deleteTree(top);
  }

  @Test
  void what_is_no_folder_is_removed_too_and_what_is_missing_is_told() throws Exception {
    Path file = Files.createFile(folder.resolve("file"));
    new LinuxFiles().deleteTree(file);
    assertThat(file).doesNotExist();
    assertThatThrownBy(() -> new LinuxFiles().deleteTree(file))
        .isInstanceOf(NoSuchFileException.class);
  }
}

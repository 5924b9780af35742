package io.jcontainerd.snapshots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.LinuxFiles;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@Timeout(120)
class LinuxTreesTest {
  @TempDir Path folder;
  private Path tree;

  /** Measures the tree that is its argument; run in a small virtual machine. */
  static final class Measuring {
    private Measuring() {}

    public static void main(String[] arguments) throws Exception {
      Usage usage = new LinuxTrees().usage(Path.of(arguments[0]));
      System.out.print(usage.inodes());
    }
  }

  @BeforeEach
  void make() throws Exception {
    tree = Files.createDirectory(folder.resolve("tree"));
  }

  /** What no library can remove that thinks in paths. */
  @AfterEach
  void remove() throws Exception {
    new LinuxFiles().deleteTree(tree);
  }

  private String inodesInSmallMachine() throws Exception {
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
                Measuring.class.getName(),
                tree.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said).isZero();
    return said;
  }

  private void makeChain(int depth) throws ErrnoException {
    Directory at = Directory.open(tree);
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
  void usage_of_a_folder_with_more_names_than_fit_into_memory_is_told() throws Exception {
    try (Directory open = Directory.open(tree)) {
      String long240 = "n".repeat(240);
      for (int i = 0; i < 40_000; i++) {
        open.makeNode(RawPath.of(long240 + i), FileStat.Type.FIFO, 0600, 0);
      }
    }
    assertThat(inodesInSmallMachine()).isEqualTo("40001");
  }

  @Test
  void usage_of_a_tree_of_any_depth_is_told() throws Exception {
    makeChain(15_000);
    assertThat(inodesInSmallMachine()).isEqualTo("15001");
  }

  @Test
  void usage_goes_on_beside_deep_folders_and_counts_linked_files_once() throws Exception {
    makeChain(200);
    try (Directory open = Directory.open(tree)) {
      for (int i = 0; i < 2000; i++) {
        RawPath name = RawPath.of("name" + i);
        if (i % 2 == 0) {
          open.createFile(name, 0600).close();
          open.makeLink(RawPath.of("link" + i), open, name);
        } else {
          open.makeDirectory(name, 0700);
        }
      }
    }
    assertThat(new LinuxTrees().usage(tree).inodes()).isEqualTo(1 + 200 + 2000);
  }

  @Test
  void a_tree_that_no_path_can_name_is_not_copied_and_the_stack_does_not_overflow()
      throws Exception {
    makeChain(6_000);
    Path copy = Files.createDirectory(folder.resolve("copy"));
    try {
      assertThatThrownBy(() -> new LinuxTrees().copy(tree, copy))
          .isInstanceOf(ErrnoException.class)
          .hasMessageContaining("too long");
    } finally {
      new LinuxFiles().deleteTree(copy);
    }
  }

  @Test
  void a_copy_goes_on_after_each_folder() throws Exception {
    for (int i = 0; i < 300; i++) {
      Path child = Files.createDirectory(tree.resolve("d" + i));
      Files.writeString(child.resolve("in"), "in" + i);
      Files.writeString(tree.resolve("f" + i), "f" + i);
    }
    Files.createLink(tree.resolve("d7/link"), tree.resolve("f9"));
    Path copy = Files.createDirectory(folder.resolve("copy"));
    new LinuxTrees().copy(tree, copy);
    for (int i = 0; i < 300; i++) {
      assertThat(copy.resolve("d" + i + "/in")).hasContent("in" + i);
      assertThat(copy.resolve("f" + i)).hasContent("f" + i);
    }
    assertThat(Files.getAttribute(copy.resolve("d7/link"), "unix:ino"))
        .isEqualTo(Files.getAttribute(copy.resolve("f9"), "unix:ino"));
    assertThat(new LinuxTrees().usage(copy).inodes()).isEqualTo(901);
  }
}

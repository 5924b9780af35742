package io.jcontainerd.testkit.tree;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.testkit.files.InMemoryFiles;
import io.jcontainerd.testkit.kernel.InMemoryKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init")
class TreeTest {
  private static final FileTime TIME =
      FileTime.from(Instant.parse("2020-01-01T00:00:00.000000001Z"));

  @TempDir Path folder;

  private Tree make(String name, String difference) throws Exception {
    Path top = Files.createDirectory(folder.resolve(name));
    Path file = Files.writeString(top.resolve("a"), "text");
    Path link = top.resolve("b");
    Files.createSymbolicLink(top.resolve("s"), Path.of(difference.equals("symlink") ? "y" : "x"));
    Files.setLastModifiedTime(file, TIME);
    switch (difference) {
      case "bytes" -> Files.writeString(file, "texT");
      case "mode" ->
          Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
      case "link" -> Files.copy(file, link);
      case "missing" -> {}
      default -> Files.createLink(link, file);
    }
    Files.setLastModifiedTime(
        file, difference.equals("time") ? FileTime.from(TIME.toInstant().plusNanos(1)) : TIME);
    if (Files.exists(link)) {
      Files.setLastModifiedTime(
          link, difference.equals("time") ? FileTime.from(TIME.toInstant().plusNanos(1)) : TIME);
    }
    var files = new InMemoryFiles();
    Tree tree = Tree.read(top, new InMemoryKernel(files));
    // Links have the time at which they were made, which this test does not choose.
    return new Tree(
        tree.entries().entrySet().stream()
            .collect(
                java.util.stream.Collectors.toMap(
                    java.util.Map.Entry::getKey,
                    entry ->
                        entry.getKey().equals("s")
                            ? entry.getValue().replaceAll("20[0-9-]+T[0-9:.]+Z", "then")
                            : entry.getValue())));
  }

  @Test
  void equal_trees_are_equal() throws Exception {
    make("one", "nothing").assertSameAs(make("two", "nothing"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"bytes", "mode", "link", "missing", "time", "symlink"})
  void any_difference_is_seen(String difference) throws Exception {
    Tree one = make("one", "nothing");
    Tree two = make("two", difference);
    assertThatThrownBy(() -> two.assertSameAs(one)).isInstanceOf(AssertionError.class);
  }
}

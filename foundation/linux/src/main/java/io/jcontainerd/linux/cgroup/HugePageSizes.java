package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The sizes of huge pages that a group counts, read off the names of its files. */
final class HugePageSizes {
  private HugePageSizes() {}

  static List<String> of(Path folder, String prefix, String suffix) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .map(entry -> entry.getFileName().toString())
          .filter(name -> name.startsWith(prefix) && name.endsWith(suffix))
          .map(name -> name.substring(prefix.length(), name.length() - suffix.length()))
          .filter(size -> !size.contains("."))
          .sorted()
          .toList();
    }
  }
}

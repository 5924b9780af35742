package io.jcontainerd.bench;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs that containerd runs when it finds them. */
final class Programs {
  private Programs() {}

  /** Which of them are there, for people. */
  static String found(String... names) {
    List<String> found = new ArrayList<>();
    for (String name : names) {
      for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
        if (Files.isExecutable(Path.of(folder, name))) {
          found.add(name);
          break;
        }
      }
    }
    return found.isEmpty() ? "none of " + String.join(", ", names) : String.join(", ", found);
  }
}

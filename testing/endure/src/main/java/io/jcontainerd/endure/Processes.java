package io.jcontainerd.endure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Processes of this machine. */
final class Processes {
  private Processes() {}

  /** All arguments; {@link ProcessHandle#info} keeps the first page only. Empty if it has ended. */
  static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException _) {
      return "";
    }
  }
}

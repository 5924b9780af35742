package io.jcontainerd.diff;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where this process stands among user namespaces. */
final class UserIds {
  private static final Path UID_MAP = Path.of("/proc/self/uid_map");

  private UserIds() {}

  /** Whether this process is not in the machine's first user namespace. */
  static boolean inUserNamespace() {
    try {
      if (!Files.exists(UID_MAP)) {
        return false;
      }
      String map = Files.readString(UID_MAP).strip().replaceAll("\\s+", " ");
      return !map.equals("0 0 4294967295");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

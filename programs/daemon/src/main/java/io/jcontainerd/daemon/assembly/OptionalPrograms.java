package io.jcontainerd.daemon.assembly;

import java.nio.file.Path;

/**
 * Where optional programs are installed.
 *
 * @param folder has {@code bin} and {@code lib}
 */
record OptionalPrograms(Path folder) {
  /** The search path of this process with the folder's programs before all others. */
  String searchPath() {
    String path = System.getenv("PATH");
    return folder.resolve("bin") + (path == null || path.isEmpty() ? "" : ":" + path);
  }

  /** The same for libraries. */
  String libraryPath() {
    String path = System.getenv("LD_LIBRARY_PATH");
    return folder.resolve("lib") + (path == null || path.isEmpty() ? "" : ":" + path);
  }
}

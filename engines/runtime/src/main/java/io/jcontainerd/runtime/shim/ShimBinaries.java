package io.jcontainerd.runtime.shim;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnknownException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * From a runtime's name to its shim's program: {@code io.containerd.runc.v2} is kept by {@code
 * containerd-shim-runc-v2}. An absolute path names the program itself. What was found is remembered
 * as long as it is there. Safe for many threads.
 */
public final class ShimBinaries {
  private final List<Path> folders;
  private final Map<String, Path> found = new ConcurrentHashMap<>();

  /**
   * A search.
   *
   * @param folders in which programs are looked for, in order
   */
  public ShimBinaries(List<Path> folders) {
    this.folders = List.copyOf(folders);
  }

  /** The folders of a search path such as {@code PATH}. */
  public static List<Path> searchPath(String path) {
    return List.of(path.split(":", -1)).stream().filter(p -> !p.isEmpty()).map(Path::of).toList();
  }

  /**
   * The program.
   *
   * @throws InvalidArgumentException if the name is none
   * @throws UnknownException if it is not installed
   */
  public Path resolve(String runtime) {
    if (runtime.startsWith("/")) {
      Path file = Path.of(runtime);
      if (!Files.isRegularFile(file)) {
        throw new UnknownException(
            "invalid custom binary path \""
                + runtime
                + "\": no such file or directory: install it there, or name another runtime");
      }
      return file;
    }
    String program = program(runtime);
    Path known = found.get(runtime);
    if (known != null && Files.isExecutable(known)) {
      return known;
    }
    for (Path folder : folders) {
      Path file = folder.resolve(program).toAbsolutePath();
      if (Files.isRegularFile(file) && Files.isExecutable(file)) {
        found.put(runtime, file);
        return file;
      }
    }
    throw new UnknownException(
        "runtime \""
            + runtime
            + "\" binary not installed \""
            + program
            + "\": file does not exist: install it in a folder of the daemon's PATH,"
            + " or name another runtime");
  }

  /** The name of the program that keeps a runtime. */
  public static String program(String runtime) {
    if (runtime.contains("/")) {
      throw new InvalidArgumentException(
          "invalid runtime name " + runtime + ", it must be an absolute path or a dotted name");
    }
    String[] parts = runtime.split("\\.", -1);
    if (parts.length < 2 || parts[0].isEmpty() || parts[parts.length - 1].isEmpty()) {
      throw new InvalidArgumentException("invalid runtime name " + runtime);
    }
    return "containerd-shim-" + parts[parts.length - 2] + "-" + parts[parts.length - 1];
  }
}

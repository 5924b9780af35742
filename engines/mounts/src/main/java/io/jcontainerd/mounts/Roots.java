package io.jcontainerd.mounts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.file.Path;
import java.util.List;

/** The folders in which files and folders may be made. */
record Roots(List<Path> all) {
  Roots {
    all = all.stream().map(path -> path.toAbsolutePath().normalize()).toList();
  }

  /**
   * The path, if it lies below one of the folders.
   *
   * @param what it is for, for the message
   */
  Path require(String path, String what) {
    Path given = Path.of(path);
    for (Path root : all) {
      if (given.isAbsolute()
          && given.equals(given.normalize())
          && given.startsWith(root)
          && !given.equals(root)) {
        return given;
      }
    }
    throw new InvalidArgumentException(what + " \"" + path + "\": must lie below one of " + all);
  }
}

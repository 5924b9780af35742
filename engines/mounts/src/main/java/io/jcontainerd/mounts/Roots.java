package io.jcontainerd.mounts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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

  /**
   * Refuses a path with a link on the way, which may lead anywhere: then it is not where it seems
   * to be.
   *
   * @param what it is for, for the message
   */
  void requireNoLinks(Files files, Path path, String what) throws IOException {
    for (Path at = path.getParent(); at != null && at.getNameCount() > 0; at = at.getParent()) {
      Optional<FileStat> stat = files.stat(at);
      if (stat.isPresent() && stat.get().type() == FileStat.Type.SYMLINK && below(at)) {
        throw new InvalidArgumentException(what + " " + path + ": " + at + " is a link");
      }
    }
  }

  private boolean below(Path at) {
    return all.stream().anyMatch(root -> at.startsWith(root) && !at.equals(root));
  }
}

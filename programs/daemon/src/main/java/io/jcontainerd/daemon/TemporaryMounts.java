package io.jcontainerd.daemon;

import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder {@code tmpmounts} below the root, where trees are mounted for the time of one
 * operation. What a daemon before this one left there is unmounted and removed at the start.
 */
final class TemporaryMounts {
  private static final Logger LOG = System.getLogger(TemporaryMounts.class.getName());

  private TemporaryMounts() {}

  /** Makes the folder if need be and empties it; what is busy stays and is told in the log. */
  static Path open(Path root, Kernel kernel) throws IOException {
    Path folder = root.resolve("tmpmounts");
    Files.createDirectories(folder);
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder)) {
      for (Path entry : left) {
        remove(entry, kernel);
      }
    }
    return folder;
  }

  private static void remove(Path entry, Kernel kernel) {
    try {
      kernel.detachAll(entry);
      // never deeper: should an unmount have failed silently, the tree below is somebody's
      Files.delete(entry);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "left over temporary mount " + entry + " cannot be removed", e);
    }
  }
}

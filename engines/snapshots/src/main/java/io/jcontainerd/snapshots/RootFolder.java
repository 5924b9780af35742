package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The root of what a snapshot adds: it looks like the one below until a layer says otherwise. */
final class RootFolder {
  private static final int MODE = 0755;
  private static final int PERMISSIONS = 07777;

  private RootFolder() {}

  /** Makes it like the one below. */
  static void dress(Files files, Path root, Path below) throws IOException {
    FileStat stat = status(files, below);
    files.setOwner(root, stat.uid(), stat.gid());
    files.setMode(root, stat.mode());
  }

  /** Makes it like the one below if it is as it was made. */
  static void dressIfNew(Files files, Path root, Path below) throws IOException {
    FileStat stat = status(files, root);
    if (stat.uid() == 0 && stat.gid() == 0 && (stat.mode() & PERMISSIONS) == MODE) {
      dress(files, root, below);
    }
  }

  private static FileStat status(Files files, Path path) throws IOException {
    return files.stat(path).orElseThrow(() -> new NoSuchFileException(path.toString()));
  }
}

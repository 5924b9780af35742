package io.jcontainerd.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * A file that is there either whole or as it was before: it is written beside and renamed at the
 * end. Links are followed, and stay. What is there and no regular file, such as a device or a pipe,
 * is written to as it is.
 *
 * @param target where to
 */
record WholeFile(Path target) {
  /** Writes the bytes. */
  @FunctionalInterface
  interface Content {
    void to(OutputStream out) throws IOException;
  }

  /**
   * Writes the file.
   *
   * @throws IOException if it cannot be; then nothing of it is left
   */
  void write(Content content) throws IOException {
    if (Files.exists(target) && !Files.isRegularFile(target)) {
      try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.WRITE)) {
        content.to(out);
      }
      return;
    }
    Path file = file();
    Path beside = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      try (OutputStream out =
          Files.newOutputStream(beside, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        content.to(out);
      }
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(beside);
    }
  }

  /** The file itself, which may not be there yet. */
  private Path file() throws IOException {
    if (Files.exists(target)) {
      return target.toRealPath();
    }
    if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new NoSuchFileException(target.toString(), null, "a link to what is not there");
    }
    return target.toAbsolutePath();
  }
}

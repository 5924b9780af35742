package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * What a shim host prints: the file {@code log} in its state folder. A long one is set aside as
 * {@code log.1} when the next host is started.
 */
final class HostLogFile {
  private static final long LONG = 1 << 20;
  private static final int TAIL = 2000;

  private final Path folder;

  private HostLogFile(Path folder) {
    this.folder = folder;
  }

  static HostLogFile in(Path folder) {
    return new HostLogFile(folder);
  }

  Path path() {
    return folder.resolve("log");
  }

  /** Makes its folder, and room in it. */
  void prepare() throws IOException {
    Files.createDirectories(folder);
    if (Files.exists(path()) && Files.size(path()) > LONG) {
      Files.move(path(), folder.resolve("log.1"), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** The end of it, however long it is. */
  String tail() {
    try (RandomAccessFile log = new RandomAccessFile(path().toFile(), "r")) {
      log.seek(Math.max(0, log.length() - TAIL));
      byte[] bytes = new byte[TAIL];
      int count = Math.max(0, log.read(bytes));
      return new String(bytes, 0, count, UTF_8).strip();
    } catch (IOException e) {
      return "no log: " + e.getMessage();
    }
  }
}

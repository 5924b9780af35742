package io.jcontainerd.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Space kept back on the store's file system. A piece of it is given up when something that frees
 * space finds no room for its log, so that it lasts for many such changes although others take what
 * it gives; it is made whole again when there is room. For the writer's thread only, but for {@link
 * #present}.
 */
class Reserve {
  private static final int CHUNK = 64 << 10;
  private static final int PIECES = 16;
  private static final long RETRY_NANOS = 10_000_000_000L;

  private final Path file;
  private final long bytes;
  private volatile boolean present;
  private long lastAttempt = System.nanoTime() - RETRY_NANOS;

  Reserve(Path database, long bytes) throws IOException {
    this.file = database.resolveSibling(database.getFileName() + ".reserve");
    this.bytes = bytes;
    this.present = bytes == 0 || (Files.exists(file) && Files.size(file) >= bytes);
  }

  boolean present() {
    return present;
  }

  /**
   * Gives a piece of the space up.
   *
   * @return whether there was any
   */
  boolean release() throws IOException {
    present = bytes == 0;
    lastAttempt = System.nanoTime();
    long left = Files.exists(file) ? Files.size(file) : 0;
    long piece = Math.max(CHUNK, bytes / PIECES);
    if (left <= piece) {
      return Files.deleteIfExists(file);
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(left - piece);
      channel.force(true); // some file systems give blocks back only then
    }
    return true;
  }

  /** Takes the space if it is missing and not tried lately; a disk without room is no failure. */
  void refill() {
    if (present || System.nanoTime() - lastAttempt < RETRY_NANOS) {
      return;
    }
    lastAttempt = System.nanoTime();
    try {
      // Leave as much again to others, or the reserve would itself be what fills the disk.
      if (Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace() < 2 * bytes) {
        return;
      }
      fill();
      present = true;
    } catch (IOException e) {
      try {
        Files.deleteIfExists(file); // half a reserve only takes room
      } catch (IOException alsoFailed) {
        e.addSuppressed(alsoFailed);
      }
      System.getLogger(Reserve.class.getName())
          .log(System.Logger.Level.WARNING, "reserve " + file + " could not be filled", e);
    }
  }

  private void fill() throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer zeros = ByteBuffer.allocateDirect(CHUNK);
      for (long left = bytes; left > 0; ) {
        zeros.clear().limit((int) Math.min(CHUNK, left));
        left -= channel.write(zeros);
      }
      channel.force(true);
    }
  }
}

package io.jcontainerd.crash.states;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A database after each of its last transactions: the file as it was before them, and its
 * write-ahead log, which grows by one transaction after the other and is never changed where it was
 * written. A log cut behind a transaction's last frame is the store just after that transaction.
 */
final class StoreVersions {
  private static final int HEADER = 32;
  private static final int FRAME_HEADER = 24;

  private final byte[] database;
  private final byte[] log;
  private final List<Integer> ends = new ArrayList<>();

  /** Reads a database that is open, and was not changed except through its log. */
  StoreVersions(byte[] database, Path file) throws IOException {
    this.database = database;
    Path logFile = log(file);
    this.log = Files.exists(logFile) ? Files.readAllBytes(logFile) : new byte[0];
    if (!Arrays.equals(database, Files.readAllBytes(file))) {
      throw new IOException("the log was merged during the scenario: make it shorter");
    }
    ends.add(0);
    if (log.length > HEADER) {
      ByteBuffer bytes = ByteBuffer.wrap(log);
      int frame = FRAME_HEADER + bytes.getInt(8);
      long salt = bytes.getLong(16);
      for (int at = HEADER; at + frame <= log.length; at += frame) {
        if (bytes.getLong(at + 8) != salt) {
          break;
        }
        if (bytes.getInt(at + 4) != 0) {
          ends.add(at + frame);
        }
      }
    }
  }

  /** The log of a database. */
  static Path log(Path file) {
    return file.resolveSibling(file.getFileName() + "-wal");
  }

  /** How many transactions there are. */
  int transactions() {
    return ends.size() - 1;
  }

  /** The length of the log after so many transactions. */
  int end(int transactions) {
    return ends.get(transactions);
  }

  /** Bytes of the log, to be torn. */
  byte[] log() {
    return log.clone();
  }

  /** Puts the database where it can be opened, as it was after so many transactions. */
  void restore(Path file, int transactions) throws IOException {
    restore(file, log, end(transactions));
  }

  /** Puts the database where it can be opened, with the beginning of some log. */
  void restore(Path file, byte[] someLog, int length) throws IOException {
    Files.deleteIfExists(file.resolveSibling(file.getFileName() + "-shm"));
    write(file, database, database.length);
    write(log(file), someLog, length);
  }

  private static void write(Path file, byte[] bytes, int length) throws IOException {
    try (var channel =
        Files.newByteChannel(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      ByteBuffer left = ByteBuffer.wrap(bytes, 0, length);
      while (left.hasRemaining()) {
        channel.write(left);
      }
    }
  }
}

package io.jcontainerd.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Looks whose database a file is without opening it as one: opening converts it to write-ahead
 * mode. (The layout of the header: sqlite.org/fileformat2.html.)
 */
final class Owner {
  private static final byte[] MAGIC = "SQLite format 3\0".getBytes(StandardCharsets.US_ASCII);
  private static final int HEADER = 100;
  private static final int WRITE_VERSION = 18;
  private static final int ROLLBACK_MODE = 1;
  private static final int SCHEMA_COOKIE = 40;
  private static final int APPLICATION_ID = 68;

  private Owner() {}

  /**
   * Refuses another program's database. One in write-ahead mode already is left to {@link
   * Migrations}: what counts may be in its log, and opening changes nothing.
   *
   * @throws StoreException of kind {@code CORRUPT}
   */
  static void check(Path file) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(HEADER);
    try (FileChannel channel = FileChannel.open(file)) {
      int count = 0;
      while (header.hasRemaining() && count >= 0) {
        count = channel.read(header, header.position());
      }
    }
    boolean rollback =
        !header.hasRemaining()
            && Arrays.equals(header.array(), 0, MAGIC.length, MAGIC, 0, MAGIC.length)
            && header.get(WRITE_VERSION) == ROLLBACK_MODE;
    if (!rollback) {
      return;
    }
    int id = header.getInt(APPLICATION_ID);
    boolean fresh = id == 0 && header.getInt(SCHEMA_COOKIE) == 0;
    if (!fresh && id != Migrations.APPLICATION_ID) {
      throw Migrations.foreign(file);
    }
  }
}

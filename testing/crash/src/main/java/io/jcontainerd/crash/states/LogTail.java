package io.jcontainerd.crash.states;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Counts the transactions in a write-ahead log that grows. A change that leaves all pages as they
 * were is committed without a trace in it, so commits of the store are no measure. The format is
 * that of <a href="https://www.sqlite.org/fileformat2.html#walformat">SQLite's description</a>. One
 * counts as soon as it is written, a moment before it is forced: what another thread did in that
 * moment is tried with it only. Safe for many threads.
 */
final class LogTail implements AutoCloseable {
  private static final int HEADER = 32;
  private static final int FRAME_HEADER = 24;

  private final Path log;
  private @Nullable FileChannel channel;
  private long at; // behind the last frame that was looked at
  private int frame; // its length
  private int transactions;

  /**
   * @param log that exists once there was a transaction
   */
  LogTail(Path log) {
    this.log = log;
  }

  /** How many are there now. */
  synchronized int transactions() {
    try {
      if (channel == null && !Files.exists(log)) {
        return 0;
      }
      FileChannel open = channel == null ? FileChannel.open(log) : channel;
      channel = open;
      readOn(open);
      return transactions;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void readOn(FileChannel open) throws IOException {
    if (at == 0 && open.size() >= HEADER) {
      frame = FRAME_HEADER + read(open, 0, HEADER).getInt(8);
      at = HEADER;
    }
    while (at > 0 && at + frame <= open.size()) {
      if (read(open, at, FRAME_HEADER).getInt(4)
          != 0) { // only the last frame of a transaction has it
        transactions++;
      }
      at += frame;
    }
  }

  private ByteBuffer read(FileChannel open, long from, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining()) {
      if (open.read(bytes, from + bytes.position()) < 0) {
        throw new IOException("log " + log + " became shorter");
      }
    }
    return bytes.flip();
  }

  @Override
  public synchronized void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}

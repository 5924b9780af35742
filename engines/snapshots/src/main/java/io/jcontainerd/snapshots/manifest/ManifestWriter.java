package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.FileSum;
import io.jcontainerd.core.ports.FileStat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;

/** Writes a manifest. For one thread; the stream belongs to the caller. */
final class ManifestWriter {
  static final String MAGIC = "jcontainerd tree 1\n";
  static final int END = 0;
  static final int SUMMED = 1;
  static final int LINKED = 2;

  private static final int BUFFER = 1 << 16;

  private final OutputStream out;
  private final FileSum sum = new FileSum();
  private final byte[] buffer = new byte[BUFFER];
  private int filled;
  private long bytes;
  private long entries;

  ManifestWriter(OutputStream out) throws IOException {
    this.out = out;
    put(MAGIC.getBytes(StandardCharsets.US_ASCII));
  }

  /** The number of entries so far, which is that of the next one. */
  long entries() {
    return entries;
  }

  void add(Entry entry) throws IOException {
    entries++;
    putNumber(entry.depth() + 1);
    if (entry.first().isPresent()) {
      putByte('h');
      putBytes(entry.name().bytes());
      putNumber(entry.first().getAsLong());
      return;
    }
    putByte(letter(entry.type()));
    putBytes(entry.name().bytes());
    putNumber(entry.mode());
    putNumber(Integer.toUnsignedLong(entry.uid()));
    putNumber(Integer.toUnsignedLong(entry.gid()));
    putTime(entry.modified());
    switch (entry.type()) {
      case REGULAR -> {
        putByte((entry.sum().isPresent() ? SUMMED : 0) | (entry.linked() ? LINKED : 0));
        putNumber(entry.size());
        if (entry.sum().isPresent()) {
          put(ByteBuffer.allocate(Long.BYTES).putLong(entry.sum().getAsLong()).array());
        }
      }
      case SYMLINK -> putBytes(entry.target().bytes());
      case CHARACTER_DEVICE, BLOCK_DEVICE -> putNumber(entry.device());
      case DIRECTORY, FIFO, SOCKET -> {}
    }
    putNumber(entry.attributes().size());
    for (Map.Entry<RawPath, byte[]> attribute : entry.attributes().entrySet()) {
      putBytes(attribute.getKey().bytes());
      putBytes(attribute.getValue());
    }
  }

  private void putTime(Instant time) throws IOException {
    long seconds = time.getEpochSecond();
    int nanos = time.getNano();
    putNumber((seconds << 1) ^ (seconds >> 63));
    putNumber(nanos);
  }

  static char letter(FileStat.Type type) {
    return switch (type) {
      case REGULAR -> 'f';
      case DIRECTORY -> 'd';
      case SYMLINK -> 'l';
      case CHARACTER_DEVICE -> 'c';
      case BLOCK_DEVICE -> 'b';
      case FIFO -> 'p';
      case SOCKET -> 's';
    };
  }

  /** Ends the manifest. */
  void finish() throws IOException {
    putByte(END);
    drain();
  }

  /** The sum of all bytes, once finished. */
  long sum() {
    return sum.value();
  }

  /** How many bytes. */
  long bytes() {
    return bytes;
  }

  private void putBytes(byte[] value) throws IOException {
    putNumber(value.length);
    put(value);
  }

  private void putNumber(long value) throws IOException {
    long left = value;
    while ((left & ~0x7fL) != 0) {
      putByte((int) ((left & 0x7f) | 0x80));
      left >>>= 7;
    }
    putByte((int) left);
  }

  private void putByte(int value) throws IOException {
    if (filled == BUFFER) {
      drain();
    }
    buffer[filled] = (byte) value;
    filled++;
  }

  private void put(byte[] value) throws IOException {
    int at = 0;
    while (at < value.length) {
      if (filled == BUFFER) {
        drain();
      }
      int count = Math.min(BUFFER - filled, value.length - at);
      System.arraycopy(value, at, buffer, filled, count);
      filled += count;
      at += count;
    }
  }

  private void drain() throws IOException {
    sum.add(ByteBuffer.wrap(buffer, 0, filled));
    out.write(buffer, 0, filled);
    bytes += filled;
    filled = 0;
  }
}

package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.FileSum;
import io.jcontainerd.core.ports.FileStat;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reads a manifest, believing nothing: lengths are bounded before anything is allocated. For one
 * thread; the stream belongs to the caller.
 */
final class ManifestReader {
  private static final int LONGEST_NAME = 255;
  private static final int LONGEST_TARGET = 4095;
  private static final int LONGEST_VALUE = 1 << 16;
  private static final int MOST_ATTRIBUTES = 1 << 12;

  private final InputStream in;
  private final byte[] buffer = new byte[1 << 16];
  private int position;
  private int limit;
  private boolean ended;

  ManifestReader(InputStream in) throws IOException {
    this.in = in;
    byte[] magic = take(ManifestWriter.MAGIC.length());
    if (!Arrays.equals(magic, ManifestWriter.MAGIC.getBytes(StandardCharsets.US_ASCII))) {
      throw new ManifestFormatException("not a manifest");
    }
  }

  /** The sum of all bytes of the stream. */
  static long sum(InputStream in) throws IOException {
    FileSum sum = new FileSum();
    byte[] piece = new byte[1 << 16];
    int count = in.read(piece);
    while (count >= 0) {
      sum.add(ByteBuffer.wrap(piece, 0, count));
      count = in.read(piece);
    }
    return sum.value();
  }

  /** The next entry; null at the end. */
  @Nullable Entry next() throws IOException {
    long depth = ended ? 0 : number() - 1;
    if (ended || depth < 0) {
      ended = true;
      return null;
    }
    int letter = one();
    RawPath name = path(LONGEST_NAME);
    int level = (int) bounded(depth, LONGEST_TARGET);
    if (letter == 'h') {
      return Entry.further(level, name, number());
    }
    FileStat.Type type = type(letter);
    int mode = (int) bounded(number(), 07777);
    int uid = (int) number();
    int gid = (int) number();
    Instant modified = time();
    boolean linked = false;
    long size = 0;
    OptionalLong sum = OptionalLong.empty();
    RawPath target = RawPath.EMPTY;
    long device = 0;
    switch (type) {
      case REGULAR -> {
        int flags = one();
        linked = (flags & ManifestWriter.LINKED) != 0;
        size = number();
        if ((flags & ManifestWriter.SUMMED) != 0) {
          sum = OptionalLong.of(ByteBuffer.wrap(take(Long.BYTES)).getLong());
        }
      }
      case SYMLINK -> target = path(LONGEST_TARGET);
      case CHARACTER_DEVICE, BLOCK_DEVICE -> device = number();
      case DIRECTORY, FIFO, SOCKET -> {}
    }
    return new Entry(
        level,
        name,
        OptionalLong.empty(),
        type,
        mode,
        uid,
        gid,
        modified,
        size,
        linked,
        sum,
        target,
        device,
        attributes());
  }

  private Map<RawPath, byte[]> attributes() throws IOException {
    long count = bounded(number(), MOST_ATTRIBUTES);
    Map<RawPath, byte[]> attributes = new TreeMap<>();
    for (long i = 0; i < count; i++) {
      RawPath name = path(LONGEST_NAME);
      attributes.put(name, bytes(LONGEST_VALUE));
    }
    return attributes;
  }

  private Instant time() throws IOException {
    long seconds = number();
    try {
      return Instant.ofEpochSecond((seconds >>> 1) ^ -(seconds & 1), number());
    } catch (DateTimeException | ArithmeticException e) {
      ManifestFormatException failure = new ManifestFormatException("a time out of bounds");
      failure.initCause(e);
      throw failure;
    }
  }

  private static FileStat.Type type(int letter) throws ManifestFormatException {
    for (FileStat.Type type : FileStat.Type.values()) {
      if (ManifestWriter.letter(type) == letter) {
        return type;
      }
    }
    throw new ManifestFormatException("a file of unknown kind " + letter);
  }

  private static long bounded(long value, long most) throws ManifestFormatException {
    if (value < 0 || value > most) {
      throw new ManifestFormatException("a number out of bounds: " + value);
    }
    return value;
  }

  private RawPath path(int longest) throws IOException {
    byte[] bytes = bytes(longest);
    for (byte b : bytes) {
      if (b == 0) {
        throw new ManifestFormatException("a name with a NUL byte");
      }
    }
    return RawPath.of(bytes);
  }

  private byte[] bytes(int longest) throws IOException {
    return take((int) bounded(number(), longest));
  }

  private long number() throws IOException {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int part = one();
      value |= (long) (part & 0x7f) << shift;
      if ((part & 0x80) == 0) {
        return value;
      }
    }
    throw new ManifestFormatException("a number of too many bytes");
  }

  private int one() throws IOException {
    if (position == limit) {
      fill();
    }
    return buffer[position++] & 0xff;
  }

  private byte[] take(int count) throws IOException {
    byte[] taken = new byte[count];
    int at = 0;
    while (at < count) {
      if (position == limit) {
        fill();
      }
      int piece = Math.min(limit - position, count - at);
      System.arraycopy(buffer, position, taken, at, piece);
      position += piece;
      at += piece;
    }
    return taken;
  }

  private void fill() throws IOException {
    position = 0;
    limit = Math.max(0, in.read(buffer));
    if (limit == 0) {
      throw new ManifestFormatException("the manifest ends too early");
    }
  }
}

package io.jcontainerd.transfer.archive;

import com.github.luben.zstd.ZstdInputStream;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.tar.ByteSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * The plain bytes of an archive, whatever it is packed with, as its first bytes show. A packed
 * archive may not grow without bound. For one thread.
 */
final class PlainArchive implements ByteSource, AutoCloseable {
  private static final int BUFFER = 64 << 10;
  private static final int MAGIC = 6;

  private final Counted packed;
  private final InputStream plain;
  private final ArchiveLimits limits;
  private final byte[] buffer = new byte[BUFFER];
  private long size;

  private PlainArchive(Counted packed, InputStream plain, ArchiveLimits limits) {
    this.packed = packed;
    this.plain = plain;
    this.limits = limits;
  }

  /** Over the stream, which closing leaves open. */
  static PlainArchive open(InputStream archive, ArchiveLimits limits) throws IOException {
    Counted packed = new Counted(archive);
    var input = new PushbackInputStream(packed, MAGIC);
    byte[] magic = input.readNBytes(MAGIC);
    input.unread(magic);
    return new PlainArchive(packed, unpacked(magic, input), limits);
  }

  private static InputStream unpacked(byte[] magic, InputStream input) throws IOException {
    if (begins(magic, 0x1f, 0x8b)) {
      return new GZIPInputStream(input, BUFFER);
    }
    if (begins(magic, 0x28, 0xb5, 0x2f, 0xfd)) {
      return new ZstdInputStream(input);
    }
    if (begins(magic, 0xfd, '7', 'z', 'X', 'Z', 0)) {
      throw unsupported("xz");
    }
    if (begins(magic, 'B', 'Z', 'h')) {
      throw unsupported("bzip2");
    }
    if (begins(magic, 'P', 'K', 3, 4)) {
      throw unsupported("zip");
    }
    return input;
  }

  private static InvalidArgumentException unsupported(String what) {
    return new InvalidArgumentException(
        "image archive is packed with " + what + "; gzip, zstd or nothing is understood");
  }

  private static boolean begins(byte[] bytes, int... magic) {
    if (bytes.length < magic.length) {
      return false;
    }
    for (int i = 0; i < magic.length; i++) {
      if ((bytes[i] & 0xff) != magic[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    int count = plain.readNBytes(buffer, 0, BUFFER);
    if (count == 0) {
      return null;
    }
    size += count;
    if ((size - ArchiveLimits.RATIO_COUNTS_FROM) / limits.ratio() > packed.count) {
      throw new InvalidArgumentException(
          "image archive of %d bytes unpacks to more than %d".formatted(packed.count, size));
    }
    return ByteBuffer.wrap(buffer, 0, count);
  }

  /**
   * Passes over what follows the archive, in it and behind what it is packed in, so that whoever
   * sends it can end; not without bound.
   */
  void drain() throws IOException {
    long left = limits.trailer();
    for (ByteBuffer piece = next(); piece != null; piece = next()) {
      left -= checkTrailer(piece.remaining(), left);
    }
    for (int count = packed.read(buffer); count >= 0; count = packed.read(buffer)) {
      left -= checkTrailer(count, left);
    }
  }

  private int checkTrailer(int count, long left) {
    if (count >= left) {
      throw new InvalidArgumentException(
          "image archive is followed by more than " + limits.trailer() + " other bytes");
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    plain.close();
  }

  /** Counts, and keeps whoever closes what reads it from closing it. */
  private static final class Counted extends InputStream {
    private final InputStream input;
    private long count;

    Counted(InputStream input) {
      this.input = input;
    }

    @Override
    public int read() throws IOException {
      int octet = input.read();
      count += octet < 0 ? 0 : 1;
      return octet;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int got = input.read(into, offset, length);
      count += Math.max(0, got);
      return got;
    }
  }
}

package io.jcontainerd.transfer.convert;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.oci.image.LayerType;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Layers in tar form, packed otherwise. The bytes pass through a few buffers, however many there
 * are; the plain ones are compared with what the image says of them. Safe for many threads.
 */
final class LayerConversion {
  private static final int BUFFER = 128 << 10;
  private static final int ZSTD_LEVEL = 3;

  private final ContentStore content;
  private final NewBlobs blobs;
  private final LongUnaryOperator mostBytes;

  /**
   * @param mostBytes the most plain bytes that a packed layer of so many may become
   */
  LayerConversion(ContentStore content, NewBlobs blobs, LongUnaryOperator mostBytes) {
    this.content = content;
    this.blobs = blobs;
    this.mostBytes = mostBytes;
  }

  /** How a layer is packed, as its first bytes show. */
  LayerType.Packing packing(Descriptor layer) {
    try (ContentReader reader = content.reader(layer.digest())) {
      ByteBuffer start = ByteBuffer.allocate(4);
      while (start.hasRemaining() && reader.read(start, start.position()) > 0) {
        // until there are four, or no more
      }
      return packing(start.flip());
    }
  }

  private static LayerType.Packing packing(ByteBuffer start) {
    if (start.remaining() >= 2 && start.get(0) == 0x1f && start.get(1) == (byte) 0x8b) {
      return LayerType.Packing.GZIP;
    }
    boolean zstd =
        start.remaining() >= 4
            && (start.getInt(0) == 0x28b52ffd
                || ((start.get(0) & 0xf0) == 0x50 && (start.getInt(0) & 0xffffff) == 0x2a4d18));
    return zstd ? LayerType.Packing.ZSTD : LayerType.Packing.NONE;
  }

  /**
   * Packs a layer otherwise.
   *
   * @param expected the digest of the plain layer, if the image says it
   * @param progress hears how many of the layer's bytes were read
   */
  NewBlobs.Blob convert(
      Descriptor layer,
      LayerType.Packing from,
      LayerType.Packing to,
      Optional<Digest> expected,
      LongConsumer progress) {
    try (ContentReader reader = content.reader(layer.digest())) {
      return blobs.make(
          out -> {
            Digest plain = copy(layer, reader, from, to, out, progress);
            check(layer, expected, plain);
            return Map.of(Labels.UNCOMPRESSED, plain.toString());
          });
    } catch (IOException e) {
      throw e.getCause() instanceof ContainerdException known
          ? known
          : new DataLossException("layer " + layer.digest() + ": " + e.getMessage(), e);
    }
  }

  /** Compares a plain layer with what the image says of it. */
  static void check(Descriptor layer, Optional<Digest> expected, Digest plain) {
    if (expected.isPresent() && !expected.get().equals(plain)) {
      throw new DataLossException(
          "layer %s is %s when unpacked, but the image says %s"
              .formatted(layer.digest(), plain, expected.get()));
    }
  }

  private Digest copy(
      Descriptor layer,
      ContentReader reader,
      LayerType.Packing from,
      LayerType.Packing to,
      OutputStream out,
      LongConsumer progress)
      throws IOException {
    MessageDigest hasher = Digest.hasher("sha256");
    long most = mostBytes.applyAsLong(reader.size());
    Packed packed = new Packed(reader, progress);
    try (InputStream plain = unpacking(packed, from);
        OutputStream packing = packing(new BufferedOutputStream(out, BUFFER), to)) {
      byte[] piece = new byte[BUFFER];
      long size = 0;
      for (int count = plain.read(piece); count >= 0; count = plain.read(piece)) {
        size += count;
        if (size > most) {
          throw new ResourceExhaustedException(
              "layer %s of %d bytes unpacks to more than %d, which is the limit"
                  .formatted(layer.digest(), reader.size(), most));
        }
        hasher.update(piece, 0, count);
        packing.write(piece, 0, count);
      }
    }
    return Digest.of("sha256", hasher.digest());
  }

  private static InputStream unpacking(InputStream packed, LayerType.Packing from)
      throws IOException {
    return switch (from) {
      case NONE -> packed;
      case GZIP -> new GZIPInputStream(packed, BUFFER);
      case ZSTD -> new ZstdInputStreamNoFinalizer(packed);
    };
  }

  private static OutputStream packing(OutputStream out, LayerType.Packing to) throws IOException {
    return switch (to) {
      case NONE -> out;
      case GZIP -> new GZIPOutputStream(out, BUFFER);
      case ZSTD -> new ZstdOutputStreamNoFinalizer(out, ZSTD_LEVEL);
    };
  }

  /** A blob from its beginning. */
  private static final class Packed extends InputStream {
    private final ContentReader reader;
    private final LongConsumer progress;
    private long position;

    Packed(ContentReader reader, LongConsumer progress) {
      this.reader = reader;
      this.progress = progress;
    }

    @Override
    public int available() {
      return (int) Math.min(Integer.MAX_VALUE, reader.size() - position);
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] into, int offset, int length) {
      if (length == 0) {
        return 0;
      }
      int count = reader.read(ByteBuffer.wrap(into, offset, length), position);
      position += Math.max(0, count);
      progress.accept(position);
      return count;
    }
  }
}

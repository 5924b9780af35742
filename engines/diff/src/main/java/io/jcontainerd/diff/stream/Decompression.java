package io.jcontainerd.diff.stream;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import io.jcontainerd.core.content.ContentReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;

/**
 * Reads a blob and pours its plain bytes into a pipe: the filling side of a {@link BufferPipe}.
 *
 * <p>How the blob is packed is told by its first bytes. A media type that promises something else
 * is believed only where the bytes are an archive all the same, as images in the wild have it.
 */
public final class Decompression {
  private final Input input;
  private final BufferPipe output;
  private final Supplier<Inflating> inflaters;

  private Decompression(Input input, BufferPipe output, Supplier<Inflating> inflaters) {
    this.input = input;
    this.output = output;
    this.inflaters = inflaters;
  }

  /**
   * Runs to the end of the blob and finishes the pipe, or fails it.
   *
   * @param promised by the media type
   * @param buffer direct, used for the packed bytes
   */
  public static void run(
      ContentReader blob, Compression promised, ByteBuffer buffer, BufferPipe output) {
    run(blob, promised, buffer, output, Inflaters::best);
  }

  static void run(
      ContentReader blob,
      Compression promised,
      ByteBuffer buffer,
      BufferPipe output,
      Supplier<Inflating> inflaters) {
    try {
      new Decompression(new Input(blob, buffer), output, inflaters).pour(promised);
      output.finish();
    } catch (IOException e) {
      output.fail(e);
    } catch (RuntimeException | Error e) {
      output.fail(new IOException(e));
    }
  }

  private void pour(Compression promised) throws IOException {
    ByteBuffer start = input.atLeast(512);
    Compression found = Compression.ofMagic(start);
    if (found == Compression.NONE
        && promised != Compression.NONE
        && start.hasRemaining()
        && !looksLikeTar(start)) {
      throw new CorruptStreamException("not " + promised + " although its media type says so");
    }
    switch (found) {
      case NONE -> copy();
      case GZIP -> gunzip();
      case ZSTD -> unzstd();
    }
  }

  private static boolean looksLikeTar(ByteBuffer start) {
    int at = start.position();
    if (start.remaining() < 512) {
      return false;
    }
    boolean ustar =
        start.get(at + 257) == 'u' && start.get(at + 258) == 's' && start.get(at + 259) == 't';
    return ustar || start.slice(at, 512).mismatch(ByteBuffer.allocate(512)) < 0;
  }

  private void copy() throws IOException {
    while (input.some().hasRemaining()) {
      ByteBuffer from = input.some();
      ByteBuffer to = output.free();
      int count = Math.min(from.remaining(), to.remaining());
      to.put(from.slice(from.position(), count));
      from.position(from.position() + count);
      output.full(to.flip());
    }
  }

  /** Members one after the other (RFC 1952); zeros after the last are padding. */
  private void gunzip() throws IOException {
    try (Inflating inflating = inflaters.get()) {
      boolean first = true;
      while (input.some().hasRemaining()) {
        if (!first && onlyZerosLeft()) {
          return;
        }
        first = false;
        gzipHeader();
        gzipMember(inflating);
        inflating.reset();
      }
    } catch (DataFormatException e) {
      throw new CorruptStreamException("corrupt gzip data: " + e.getMessage(), e);
    }
  }

  private boolean onlyZerosLeft() throws IOException {
    if (input.some().get(input.some().position()) != 0) {
      return false;
    }
    while (input.some().hasRemaining()) {
      if (input.some().get() != 0) {
        throw new CorruptStreamException("garbage after the gzip data");
      }
    }
    return true;
  }

  private void gzipHeader() throws IOException {
    ByteBuffer header = input.atLeast(10);
    if (header.get(header.position()) != 0x1f
        || (header.remaining() >= 3 && Compression.ofMagic(header) != Compression.GZIP)) {
      throw new CorruptStreamException("garbage after the gzip data");
    }
    if (header.remaining() < 10) {
      throw new CorruptStreamException("gzip data ends in a header");
    }
    int flags = header.get(header.position() + 3);
    header.position(header.position() + 10);
    if ((flags & 4) != 0) {
      int length = octet() | octet() << 8;
      for (int i = 0; i < length; i++) {
        int _ = octet();
      }
    }
    skipText((flags & 8) != 0);
    skipText((flags & 16) != 0);
    if ((flags & 2) != 0) {
      int _ = octet() | octet() << 8;
    }
  }

  private void skipText(boolean present) throws IOException {
    if (present) {
      int c = octet();
      while (c != 0) {
        c = octet();
      }
    }
  }

  private int octet() throws IOException {
    ByteBuffer from = input.some();
    if (!from.hasRemaining()) {
      throw new CorruptStreamException("gzip data ends in the middle");
    }
    return from.get() & 0xff;
  }

  private void gzipMember(Inflating inflating) throws IOException, DataFormatException {
    CRC32 crc = new CRC32();
    long size = 0;
    boolean ended = false;
    while (!ended) {
      ByteBuffer to = output.free();
      while (to.hasRemaining() && !ended) {
        ended = inflating.inflate(input.left(), to);
        if (!ended && to.hasRemaining()) {
          if (input.left().hasRemaining()) {
            throw new CorruptStreamException("corrupt gzip data: it leads nowhere");
          }
          if (!input.more().hasRemaining()) {
            throw new CorruptStreamException("gzip data ends in the middle");
          }
        }
      }
      to.flip();
      size += to.remaining();
      crc.update(to.duplicate());
      output.full(to);
    }
    ByteBuffer trailer = input.atLeast(8);
    if (trailer.remaining() < 8) {
      throw new CorruptStreamException("gzip data ends in the middle");
    }
    long told = littleEndian();
    long length = littleEndian();
    if (told != crc.getValue() || length != (size & 0xffff_ffffL)) {
      throw new CorruptStreamException("gzip checksum does not fit");
    }
  }

  private long littleEndian() throws IOException {
    return (octet() | octet() << 8 | octet() << 16) | (long) octet() << 24;
  }

  /** Frames one after the other (RFC 8878). */
  private void unzstd() throws IOException {
    try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
      boolean frameEnded = true;
      while (true) {
        ByteBuffer from = input.some();
        if (!from.hasRemaining() && frameEnded) {
          return;
        }
        boolean atEnd = !from.hasRemaining();
        ByteBuffer to = output.free();
        int before = from.remaining();
        frameEnded = context.decompressDirectByteBufferStream(to, from);
        boolean moved = to.position() > 0 || from.remaining() < before;
        output.full(to.flip());
        if (atEnd && !moved && !frameEnded) {
          throw new CorruptStreamException("zstd data ends in the middle");
        }
      }
    } catch (ZstdException e) {
      throw new CorruptStreamException("corrupt zstd data: " + e.getMessage(), e);
    }
  }
}

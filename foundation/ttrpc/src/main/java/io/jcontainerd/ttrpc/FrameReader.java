package io.jcontainerd.ttrpc;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.jspecify.annotations.Nullable;

/** Cuts a byte channel into frames. Used by one thread. */
final class FrameReader {
  private static final int BUFFER = 16 << 10;

  /** What {@link #next} found: a frame, or the header of one whose data was too long to keep. */
  sealed interface Incoming {
    record Whole(Frame frame) implements Incoming {}

    /** The data was read and dropped, the connection is still in step. */
    record Oversize(int streamId, byte type, long length) implements Incoming {}
  }

  private final ReadableByteChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER).limit(0);

  FrameReader(ReadableByteChannel channel) {
    this.channel = channel;
  }

  /** The next frame, or null at an end of the channel that lies between two frames. */
  @Nullable Incoming next() throws IOException {
    if (!fill(Frame.HEADER)) {
      return null;
    }
    long length = buffer.getInt() & 0xffff_ffffL;
    int streamId = buffer.getInt();
    byte type = buffer.get();
    byte flags = buffer.get();
    if (length > Frame.MAX_DATA) {
      skip(length);
      return new Incoming.Oversize(streamId, type, length);
    }
    return new Incoming.Whole(new Frame(streamId, type, flags, read((int) length)));
  }

  private byte[] read(int length) throws IOException {
    byte[] data = new byte[length];
    int had = Math.min(length, buffer.remaining());
    buffer.get(data, 0, had);
    var rest = ByteBuffer.wrap(data, had, length - had);
    while (rest.remaining() >= BUFFER) {
      if (channel.read(rest) < 0) {
        throw new EOFException("connection ended inside a frame");
      }
    }
    if (rest.hasRemaining()) {
      int missing = rest.remaining();
      require(missing);
      buffer.get(data, length - missing, missing);
    }
    return data;
  }

  private void skip(long length) throws IOException {
    long left = length;
    while (left > 0) {
      if (!buffer.hasRemaining()) {
        require(1);
      }
      int step = (int) Math.min(left, buffer.remaining());
      buffer.position(buffer.position() + step);
      left -= step;
    }
  }

  private void require(int bytes) throws IOException {
    if (!fill(bytes)) {
      throw new EOFException("connection ended inside a frame");
    }
  }

  /** Has at least so many bytes in the buffer; false when the channel ended before the first. */
  private boolean fill(int bytes) throws IOException {
    if (buffer.remaining() >= bytes) {
      return true;
    }
    buffer.compact();
    try {
      while (buffer.position() < bytes) {
        if (channel.read(buffer) < 0) {
          if (buffer.position() == 0) {
            return false;
          }
          throw new EOFException("connection ended inside a frame");
        }
      }
    } finally {
      buffer.flip();
    }
    return true;
  }
}

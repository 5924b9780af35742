package io.jcontainerd.wire.streams;

import com.google.protobuf.Any;
import io.jcontainerd.api.types.transfer.Data;
import io.jcontainerd.api.types.transfer.WindowUpdate;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The bytes that a {@link ByteSender} of the other side sends. The sender is let send {@link
 * #WINDOW} bytes at first, and as much again whenever less than that is left, so that no more than
 * two windows are ever on their way. A sender that sends more is refused.
 *
 * <p>The end of the stream is the end of the bytes; a stream that breaks off is an {@link
 * IOException}. Closing ends the stream, read to its end or not. For one thread.
 */
public final class ByteReceiver extends InputStream {
  /** How many bytes the sender may send before it must wait. */
  public static final int WINDOW = 64 << 10;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final MessageStream stream;
  private ByteBuffer piece = NOTHING;
  private long window;
  private boolean ended;

  /** Receives from the stream, which nobody else uses. */
  public ByteReceiver(MessageStream stream) {
    this.stream = stream;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, piece.remaining());
    piece.get(into, offset, count);
    return count;
  }

  @Override
  public int available() {
    return piece.remaining();
  }

  /** Sees to it that there is a byte to take; false at the end. */
  private boolean fill() throws IOException {
    try {
      while (!piece.hasRemaining() && !ended) {
        receive();
      }
      return piece.hasRemaining();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    } catch (ContainerdException e) {
      throw new IOException("stream " + stream.id() + ": " + e.getMessage(), e);
    }
  }

  private void receive() throws InterruptedException {
    if (window < WINDOW) {
      stream.send(TypedValues.packApi(WindowUpdate.newBuilder().setUpdate(WINDOW).build()));
      window += WINDOW;
    }
    Optional<Any> message = stream.receive();
    if (message.isEmpty()) {
      ended = true;
      return;
    }
    piece =
        TypedValues.unpack(
                TypedValues.toCore(message.get()),
                Data.getDescriptor().getFullName(),
                Data.parser())
            .getData()
            .asReadOnlyByteBuffer();
    if (piece.remaining() > window) {
      throw new InvalidArgumentException(
          piece.remaining() + " bytes were sent where " + window + " were allowed");
    }
    window -= piece.remaining();
  }

  @Override
  public void close() {
    ended = true;
    piece = NOTHING;
    stream.close();
  }
}

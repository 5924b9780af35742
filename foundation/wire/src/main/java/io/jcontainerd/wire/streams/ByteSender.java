package io.jcontainerd.wire.streams;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.jcontainerd.api.types.transfer.Data;
import io.jcontainerd.api.types.transfer.WindowUpdate;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.util.Optional;

/**
 * Bytes as messages of a stream: {@code Data} of at most {@link #CHUNK} bytes, and never more than
 * the other side has said it takes by its {@code WindowUpdate}s. Nothing goes before the first of
 * them.
 *
 * <p>Closing sends what is left and ends the stream in good order; {@link #fail} ends it so that
 * the other side does not take it for the end of the bytes. For one thread.
 */
public final class ByteSender extends OutputStream {
  /** The most bytes of one message. */
  public static final int CHUNK = 32 << 10;

  private final MessageStream stream;
  private final byte[] buffer = new byte[CHUNK];
  private int filled;
  private long window;
  private boolean ended;

  /** Sends over the stream, which nobody else uses, and which ends with the bytes. */
  public ByteSender(MessageStream stream) {
    this.stream = stream;
  }

  @Override
  public void write(int octet) throws IOException {
    write(new byte[] {(byte) octet}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    while (done < length) {
      int count = Math.min(length - done, CHUNK - filled);
      System.arraycopy(bytes, offset + done, buffer, filled, count);
      filled += count;
      done += count;
      if (filled == CHUNK) {
        flush();
      }
    }
  }

  /** Sends what was written, waiting until the other side takes it. */
  @Override
  public void flush() throws IOException {
    int sent = 0;
    while (sent < filled) {
      sent += sendFrom(sent);
    }
    filled = 0;
  }

  private int sendFrom(int start) throws IOException {
    if (ended) {
      throw new IOException("stream " + stream.id() + " has ended");
    }
    try {
      while (window <= 0) {
        window += update();
      }
      int count = (int) Math.min(filled - start, window);
      Data data = Data.newBuilder().setData(ByteString.copyFrom(buffer, start, count)).build();
      stream.send(TypedValues.packApi(data));
      window -= count;
      return count;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    } catch (ContainerdException e) {
      throw new IOException("stream " + stream.id() + ": " + e.getMessage(), e);
    }
  }

  private int update() throws InterruptedException, IOException {
    Optional<Any> message = stream.receive();
    if (message.isEmpty()) {
      throw new IOException(
          "stream " + stream.id() + ": the other side ended it before all was sent");
    }
    TypedValue value = TypedValues.toCore(message.get());
    int update =
        TypedValues.unpack(value, WindowUpdate.getDescriptor().getFullName(), WindowUpdate.parser())
            .getUpdate();
    if (update < 0) {
      throw new InvalidArgumentException("window update of " + update + " bytes");
    }
    return update;
  }

  /** Ends the stream without what was not sent yet; after {@link #close} it does nothing. */
  public void fail(String why) {
    ended = true;
    stream.fail(why);
  }

  /** Sends what is left and ends the stream; if that fails, the stream has failed. */
  @Override
  public void close() throws IOException {
    if (ended) {
      return;
    }
    try {
      flush();
      ended = true;
      stream.close();
    } finally {
      if (!ended) {
        fail("the sender could not send all");
      }
    }
  }
}

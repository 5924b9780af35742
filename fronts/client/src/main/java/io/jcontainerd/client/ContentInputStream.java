package io.jcontainerd.client;

import io.jcontainerd.api.services.content.v1.ReadContentResponse;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The answer of a read call as a stream. Fails with core's failures, not with I/O ones. */
final class ContentInputStream extends InputStream {
  private final Replies<?, ReadContentResponse> call;
  private ByteBuffer current = ByteBuffer.allocate(0);
  private boolean ended;

  ContentInputStream(Replies<?, ReadContentResponse> call) {
    this.call = call;
  }

  @Override
  public int read() {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    while (!current.hasRemaining()) {
      if (ended) {
        return -1;
      }
      @Nullable ReadContentResponse reply = call.next();
      ended = reply == null;
      if (reply != null) {
        current = reply.getData().asReadOnlyByteBuffer();
      }
    }
    int count = Math.min(length, current.remaining());
    current.get(into, offset, count);
    return count;
  }

  @Override
  public void close() {
    if (!ended) {
      ended = true;
      current = ByteBuffer.allocate(0);
      call.cancel("closed by the reader");
    }
  }
}

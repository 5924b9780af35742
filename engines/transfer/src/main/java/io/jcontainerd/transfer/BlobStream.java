package io.jcontainerd.transfer;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.transfer.TransferProgress.Event;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Consumer;

/** A blob as a stream that tells how far it is. For one reader. */
final class BlobStream extends InputStream {
  /** So many bytes are worth telling. */
  private static final long WORTH = 1 << 20;

  private final ContentReader reader;
  private final Consumer<Word> tell;
  private long position;
  private long told;

  BlobStream(ContentStore content, Digest digest, Consumer<Word> tell) throws IOException {
    try {
      this.reader = content.reader(digest);
    } catch (ContainerdException e) {
      throw new IOException(e.getMessage(), e);
    }
    this.tell = tell;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    int count;
    try {
      count = reader.read(ByteBuffer.wrap(into, offset, length), position);
    } catch (ContainerdException e) {
      throw new IOException(e.getMessage(), e);
    }
    if (count > 0) {
      position += count;
      if (position - told >= WORTH || position == reader.size()) {
        told = position;
        tell.accept(new Word(Event.UPLOADING, position));
      }
    }
    return count;
  }

  @Override
  public void close() {
    reader.close();
  }
}

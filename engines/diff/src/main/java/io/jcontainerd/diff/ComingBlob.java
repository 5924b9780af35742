package io.jcontainerd.diff;

import io.jcontainerd.core.content.ContentReader;
import java.nio.ByteBuffer;

/**
 * A blob that may still be on its way: how large it will be is only what somebody says, so limits
 * go by what was read of it. Read by one thread.
 */
final class ComingBlob implements ContentReader {
  private final ContentReader blob;
  private volatile long read;

  /**
   * @param blob stays the caller's to close
   */
  ComingBlob(ContentReader blob) {
    this.blob = blob;
  }

  /** How many bytes have been read. */
  long bytesRead() {
    return read;
  }

  @Override
  public long size() {
    return blob.size();
  }

  @Override
  public int read(ByteBuffer into, long position) {
    int count = blob.read(into, position);
    read = Math.max(read, position + Math.max(0, count));
    return count;
  }

  @Override
  public void close() {
    blob.close();
  }
}

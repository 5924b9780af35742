package io.jcontainerd.core.content;

import java.nio.ByteBuffer;

/**
 * A committed blob, open for reading. Stays readable when the blob is deleted meanwhile. Safe for
 * many threads.
 */
public interface ContentReader extends AutoCloseable {
  /** The blob's size in bytes. */
  long size();

  /**
   * Reads into the buffer's remaining space from the position.
   *
   * @param position in bytes from the blob's start
   * @return bytes read, at least 1, or -1 at or beyond the end
   */
  int read(ByteBuffer into, long position);

  @Override
  void close();
}

package io.jcontainerd.diff.stream;

import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;

/** Inflates raw deflate data (RFC 1951). For one thread. */
interface Inflating extends AutoCloseable {
  /** So many bytes before its position the input must still hold what stood there. */
  int BYTES_AHEAD = 8;

  /**
   * Goes on until one of the buffers, which are direct, is used up or the data ends; the input then
   * stands behind the end.
   *
   * @return whether the data ended
   * @throws DataFormatException if it is damaged
   */
  boolean inflate(ByteBuffer from, ByteBuffer to) throws DataFormatException;

  /** Ready for other data. */
  void reset();

  @Override
  void close();
}

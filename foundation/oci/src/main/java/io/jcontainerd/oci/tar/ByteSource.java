package io.jcontainerd.oci.tar;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Bytes in pieces, as they become available. For one thread. */
public interface ByteSource {
  /**
   * The next piece, not empty; null at the end. It is valid until the next call, and the caller may
   * move its position as it likes.
   */
  @Nullable ByteBuffer next() throws IOException;
}

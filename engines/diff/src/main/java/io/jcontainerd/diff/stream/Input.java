package io.jcontainerd.diff.stream;

import io.jcontainerd.core.content.ContentReader;
import java.nio.ByteBuffer;

/**
 * A blob read from its start to its end through one direct buffer, which keeps the last bytes
 * before its position. For one thread.
 */
final class Input {
  private final ContentReader reader;
  private final ByteBuffer buffer;
  private long position;
  private boolean ended;

  Input(ContentReader reader, ByteBuffer buffer) {
    this.reader = reader;
    this.buffer = buffer.clear().limit(0);
  }

  /** The buffer with at least one byte more than it had, or all there is if nothing is left. */
  ByteBuffer more() {
    if (!ended) {
      int kept = Math.min(buffer.position(), Inflating.BYTES_AHEAD);
      buffer.position(buffer.position() - kept).compact();
      int count = reader.read(buffer, position);
      if (count < 0) {
        ended = true;
      } else {
        position += count;
      }
      buffer.flip().position(kept);
    }
    return buffer;
  }

  /** The buffer with what it has, be it nothing. */
  ByteBuffer left() {
    return buffer;
  }

  /** The buffer with at least one byte, unless the blob is at its end. */
  ByteBuffer some() {
    return buffer.hasRemaining() ? buffer : more();
  }

  /** The buffer with at least that many bytes, unless the blob ends before. */
  ByteBuffer atLeast(int count) {
    while (buffer.remaining() < count && !ended) {
      more();
    }
    return buffer;
  }
}

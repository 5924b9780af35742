package io.jcontainerd.core.check;

import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/**
 * A sum of a file's bytes that finds accidents: two cyclic redundancy checks of different
 * polynomials side by side, which together are one of 64 bits. Every single flipped bit, every two,
 * and every run of up to 64 damaged bits change it; anything else does but for once in 2^64. It is
 * no proof against somebody who wants the same sum. For one thread.
 */
public final class FileSum {
  private final CRC32 first = new CRC32();
  private final CRC32C second = new CRC32C();

  /** The sum of no bytes. */
  public FileSum() {}

  /** Adds the remaining bytes; the buffer's position stays. */
  public void add(ByteBuffer bytes) {
    int position = bytes.position();
    first.update(bytes);
    bytes.position(position);
    second.update(bytes);
    bytes.position(position);
  }

  /** The sum of all that was added. */
  public long value() {
    return (first.getValue() << 32) | second.getValue();
  }

  /** Begins anew. */
  public void reset() {
    first.reset();
    second.reset();
  }
}

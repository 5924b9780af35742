package io.jcontainerd.fuzz;

import io.jcontainerd.oci.tar.ByteSource;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Bytes handed out in pieces of one size, as a slow network might. */
final class Pieces implements ByteSource {
  private final byte[] bytes;
  private final int size;
  private int at;

  Pieces(byte[] bytes, int size) {
    this.bytes = bytes;
    this.size = size;
  }

  @Override
  public @Nullable ByteBuffer next() {
    if (at == bytes.length) {
      return null;
    }
    int count = Math.min(size, bytes.length - at);
    ByteBuffer piece = ByteBuffer.wrap(bytes, at, count).slice();
    at += count;
    return piece;
  }
}

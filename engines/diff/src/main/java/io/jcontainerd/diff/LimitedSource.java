package io.jcontainerd.diff;

import io.jcontainerd.oci.tar.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Plain bytes of a layer, up to a limit. */
final class LimitedSource implements ByteSource {
  private final ByteSource source;
  private final long most;
  private final long packed;
  private long size;

  /**
   * @param most bytes that may pass
   * @param packed what the layer measures, for the message
   */
  LimitedSource(ByteSource source, long most, long packed) {
    this.source = source;
    this.most = most;
    this.packed = packed;
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    ByteBuffer piece = source.next();
    if (piece != null) {
      size += piece.remaining();
      if (size > most) {
        throw new LayerLimitException(
            "unpacks to more than %d bytes, the most that are allowed for one of %d"
                .formatted(most, packed));
      }
    }
    return piece;
  }
}

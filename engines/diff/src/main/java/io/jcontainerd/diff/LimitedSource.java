package io.jcontainerd.diff;

import io.jcontainerd.oci.tar.ByteSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Plain bytes of a layer, up to a limit. */
final class LimitedSource implements ByteSource {
  private final ByteSource source;
  private final LayerLimits limits;
  private final LongSupplier packed;
  private long size;

  /**
   * @param packed what the layer measures packed, as far as that is known
   */
  LimitedSource(ByteSource source, LayerLimits limits, LongSupplier packed) {
    this.source = source;
    this.limits = limits;
    this.packed = packed;
  }

  @Override
  public @Nullable ByteBuffer next() throws IOException {
    ByteBuffer piece = source.next();
    if (piece != null) {
      size += piece.remaining();
      long packedSize = packed.getAsLong();
      long most = limits.bytesFor(packedSize);
      if (size > most) {
        throw new LayerLimitException(
            "unpacks to more than %d bytes, the most that are allowed for one of %d"
                .formatted(most, packedSize));
      }
    }
    return piece;
  }
}

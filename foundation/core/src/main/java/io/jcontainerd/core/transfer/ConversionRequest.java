package io.jcontainerd.core.transfer;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.List;

/**
 * From an image of the image store to another form of it.
 *
 * @param source its name
 * @param destination the name of what becomes of it
 * @param layers how layers are to be
 * @param toOci whether Docker's media types become OCI's; they do in any case where Docker has none
 *     for such layers
 * @param platforms which parts of an index stay; all if empty
 */
public record ConversionRequest(
    String source, String destination, Layers layers, boolean toOci, List<Platform> platforms) {
  /** The form of layers. */
  public enum Layers {
    /** They stay as they are. */
    KEPT,
    /** Plain tar archives. */
    UNCOMPRESSED,
    /** Tar archives packed with gzip. */
    GZIP,
    /** Tar archives packed with zstandard. */
    ZSTD,
    /** Images of the EROFS file system. */
    EROFS
  }

  /** Refuses empty names, and copies. */
  public ConversionRequest {
    if (source.isEmpty() || destination.isEmpty()) {
      throw new InvalidArgumentException("conversion: an image needs a name");
    }
    platforms = List.copyOf(platforms);
  }
}

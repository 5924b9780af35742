package io.jcontainerd.core.transfer;

import io.jcontainerd.core.Platform;
import java.util.List;

/**
 * From the image store into an archive ({@code ImageExportStream}).
 *
 * @param source which images
 * @param mediaType of the archive; empty for the usual
 * @param platforms which parts of indexes; this machine's if empty
 * @param allPlatforms whether every part is written
 * @param skipCompatibilityManifest whether Docker's {@code manifest.json} is left out
 * @param skipNonDistributable whether layers that must not be passed on are left out
 */
public record ExportRequest(
    ImageSelection source,
    String mediaType,
    List<Platform> platforms,
    boolean allPlatforms,
    boolean skipCompatibilityManifest,
    boolean skipNonDistributable) {
  /** Copies the platforms. */
  public ExportRequest {
    platforms = List.copyOf(platforms);
  }
}

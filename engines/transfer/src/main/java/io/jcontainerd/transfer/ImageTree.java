package io.jcontainerd.transfer;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.oci.image.Manifest;
import java.util.List;
import java.util.Optional;

/**
 * The parts of an image that count.
 *
 * @param root what its name stands for
 * @param manifests the manifests, the best first
 */
record ImageTree(Descriptor root, List<Part> manifests) {
  /** Copies the list. */
  ImageTree {
    manifests = List.copyOf(manifests);
  }

  /**
   * One manifest.
   *
   * @param at where it is
   * @param manifest what it says
   * @param platform what the index says it is for, if there is one that does
   * @param isWhole whether its layers count, too
   */
  record Part(Descriptor at, Manifest manifest, Optional<Platform> platform, boolean isWhole) {}
}

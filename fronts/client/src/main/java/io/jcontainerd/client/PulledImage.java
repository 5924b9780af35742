package io.jcontainerd.client;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.images.Image;
import io.jcontainerd.oci.image.ChainIds;
import io.jcontainerd.oci.image.ImageConfig;
import io.jcontainerd.oci.image.Manifest;
import java.util.List;

/**
 * An image of one platform whose parts are in the daemon.
 *
 * @param image its record
 * @param manifestAt the manifest of the platform
 * @param manifest what it consists of
 * @param config how to run it
 */
public record PulledImage(
    Image image, Descriptor manifestAt, Manifest manifest, ImageConfig config) {
  /** The snapshot that holds all its layers, once unpacked; empty for an image without layers. */
  public String topSnapshot() {
    List<Digest> chain = ChainIds.of(config.diffIds());
    return chain.isEmpty() ? "" : chain.getLast().toString();
  }
}

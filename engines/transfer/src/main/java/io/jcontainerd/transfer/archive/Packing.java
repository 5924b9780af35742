package io.jcontainerd.transfer.archive;

import io.jcontainerd.oci.image.MediaTypes;
import java.nio.ByteBuffer;

/** How a layer is packed. */
enum Packing {
  PLAIN(MediaTypes.DOCKER_LAYER),
  GZIP(MediaTypes.DOCKER_LAYER_GZIP),
  ZSTD(MediaTypes.LAYER_ZSTD);

  private static final int ZSTD_MAGIC = 0x28b52ffd;

  private final String dockerType;

  Packing(String dockerType) {
    this.dockerType = dockerType;
  }

  /** The media type in a manifest of Docker's; there is none of its own for zstd. */
  String dockerType() {
    return dockerType;
  }

  /** What the first bytes show. */
  static Packing of(ByteBuffer start) {
    int at = start.position();
    if (start.remaining() >= 2 && start.get(at) == 0x1f && start.get(at + 1) == (byte) 0x8b) {
      return GZIP;
    }
    return start.remaining() >= 4 && start.getInt(at) == ZSTD_MAGIC ? ZSTD : PLAIN;
  }
}

package io.jcontainerd.diff.stream;

import java.nio.ByteBuffer;
import java.util.Optional;

/** How a layer is packed, by its media type and by its first bytes. */
public enum Compression {
  NONE("tar"),
  GZIP("gzip"),
  ZSTD("zstd");

  private static final String OCI = "application/vnd.oci.image.layer.v1.tar";
  private static final String OCI_FOREIGN =
      "application/vnd.oci.image.layer.nondistributable.v1.tar";
  private static final String DOCKER = "application/vnd.docker.image.rootfs.diff.tar";
  private static final String DOCKER_FOREIGN =
      "application/vnd.docker.image.rootfs.foreign.diff.tar";

  private final String word;

  Compression(String word) {
    this.word = word;
  }

  /** What a media type promises; empty if it is not one of a layer in tar form. */
  public static Optional<Compression> ofMediaType(String mediaType) {
    return switch (mediaType) {
      case OCI, OCI_FOREIGN, DOCKER, DOCKER_FOREIGN -> Optional.of(NONE);
      case OCI + "+gzip", OCI_FOREIGN + "+gzip", DOCKER + ".gzip", DOCKER_FOREIGN + ".gzip" ->
          Optional.of(GZIP);
      case OCI + "+zstd", OCI_FOREIGN + "+zstd", DOCKER + ".zstd", DOCKER_FOREIGN + ".zstd" ->
          Optional.of(ZSTD);
      default -> Optional.empty();
    };
  }

  /**
   * What the first bytes show; {@link #NONE} for anything but gzip (RFC 1952) and zstd (RFC 8878,
   * skippable frames included).
   */
  public static Compression ofMagic(ByteBuffer start) {
    int at = start.position();
    if (start.remaining() >= 3
        && start.get(at) == 0x1f
        && start.get(at + 1) == (byte) 0x8b
        && start.get(at + 2) == 8) {
      return GZIP;
    }
    if (start.remaining() >= 4) {
      long magic =
          (start.get(at) & 0xffL)
              | (start.get(at + 1) & 0xffL) << 8
              | (start.get(at + 2) & 0xffL) << 16
              | (start.get(at + 3) & 0xffL) << 24;
      if (magic == 0xFD2FB528L || (magic & 0xFFFFFFF0L) == 0x184D2A50L) {
        return ZSTD;
      }
    }
    return NONE;
  }

  @Override
  public String toString() {
    return word;
  }
}

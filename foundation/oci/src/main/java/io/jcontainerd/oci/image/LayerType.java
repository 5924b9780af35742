package io.jcontainerd.oci.image;

import java.util.Optional;

/**
 * A media type of layers in tar form, taken apart.
 *
 * @param family whose word it is, and for what
 * @param packing how such layers are packed
 */
public record LayerType(Family family, Packing packing) {
  /** Whose word a type is, and whether for layers that may be passed on. */
  public enum Family {
    OCI("application/vnd.oci.image.layer.v1.tar", "+"),
    OCI_FOREIGN("application/vnd.oci.image.layer.nondistributable.v1.tar", "+"),
    DOCKER("application/vnd.docker.image.rootfs.diff.tar", "."),
    DOCKER_FOREIGN("application/vnd.docker.image.rootfs.foreign.diff.tar", ".");

    private final String plain;
    private final String joint;

    Family(String plain, String joint) {
      this.plain = plain;
      this.joint = joint;
    }

    /** OCI's word for the same. */
    public Family toOci() {
      return switch (this) {
        case OCI, DOCKER -> OCI;
        case OCI_FOREIGN, DOCKER_FOREIGN -> OCI_FOREIGN;
      };
    }

    /** The same one's word for layers that may be passed on. */
    private Family distributable() {
      return switch (this) {
        case OCI, OCI_FOREIGN -> OCI;
        case DOCKER, DOCKER_FOREIGN -> DOCKER;
      };
    }
  }

  /** How layers are packed. */
  public enum Packing {
    NONE(""),
    GZIP("gzip"),
    ZSTD("zstd");

    private final String word;

    Packing(String word) {
      this.word = word;
    }
  }

  /** Takes a media type apart; empty for anything that is no layer in tar form. */
  public static Optional<LayerType> parse(String mediaType) {
    for (Family family : Family.values()) {
      for (Packing packing : Packing.values()) {
        LayerType type = new LayerType(family, packing);
        if (type.mediaType().equals(mediaType)) {
          return Optional.of(type);
        }
      }
    }
    return Optional.empty();
  }

  /** The whole word. */
  public String mediaType() {
    return packing == Packing.NONE ? family.plain : family.plain + family.joint + packing.word;
  }

  /** The same layers in OCI's words. */
  public LayerType toOci() {
    return new LayerType(family.toOci(), packing);
  }

  /** Such layers, where they may be passed on. */
  public LayerType distributable() {
    return new LayerType(family.distributable(), packing);
  }

  /** Such layers, packed otherwise. */
  public LayerType packed(Packing other) {
    return new LayerType(family, other);
  }
}

package io.jcontainerd.wire;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.mount.Mount;
import java.util.List;

/** The messages that every service shares: descriptors, mounts, platforms. */
public final class Types {
  private Types() {}

  /** A descriptor as a message. */
  public static io.jcontainerd.api.types.Descriptor toApi(Descriptor descriptor) {
    return io.jcontainerd.api.types.Descriptor.newBuilder()
        .setMediaType(descriptor.mediaType())
        .setDigest(descriptor.digest().toString())
        .setSize(descriptor.size())
        .putAllAnnotations(descriptor.annotations())
        .build();
  }

  /**
   * A message as a descriptor.
   *
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if its digest is none
   */
  public static Descriptor toCore(io.jcontainerd.api.types.Descriptor descriptor) {
    return new Descriptor(
        descriptor.getMediaType(),
        Digest.parse(descriptor.getDigest()),
        descriptor.getSize(),
        descriptor.getAnnotationsMap());
  }

  /** A mount as a message. */
  public static io.jcontainerd.api.types.Mount toApi(Mount mount) {
    return io.jcontainerd.api.types.Mount.newBuilder()
        .setType(mount.type())
        .setSource(mount.source())
        .setTarget(mount.target())
        .addAllOptions(mount.options())
        .build();
  }

  /** A message as a mount. */
  public static Mount toCore(io.jcontainerd.api.types.Mount mount) {
    return new Mount(mount.getType(), mount.getSource(), mount.getTarget(), mount.getOptionsList());
  }

  /** Mounts as messages, in order. */
  public static List<io.jcontainerd.api.types.Mount> mountsToApi(List<Mount> mounts) {
    return mounts.stream().map(Types::toApi).toList();
  }

  /** Messages as mounts, in order. */
  public static List<Mount> mountsToCore(List<io.jcontainerd.api.types.Mount> mounts) {
    return mounts.stream().map(Types::toCore).toList();
  }

  /** A platform as a message. */
  public static io.jcontainerd.api.types.Platform toApi(Platform platform) {
    return io.jcontainerd.api.types.Platform.newBuilder()
        .setOs(platform.os())
        .setArchitecture(platform.architecture())
        .setVariant(platform.variant())
        .setOsVersion(platform.osVersion())
        .addAllOsFeatures(platform.osFeatures())
        .build();
  }

  /** A message as a platform. */
  public static Platform toCore(io.jcontainerd.api.types.Platform platform) {
    return new Platform(
        platform.getOs(),
        platform.getArchitecture(),
        platform.getVariant(),
        platform.getOsVersion(),
        platform.getOsFeaturesList());
  }
}

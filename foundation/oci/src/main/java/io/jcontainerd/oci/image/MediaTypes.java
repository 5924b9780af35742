package io.jcontainerd.oci.image;

import java.util.Set;

/** Types of blobs, OCI's and Docker's. */
public final class MediaTypes {
  /** OCI: a list of manifests, usually one a platform. */
  public static final String INDEX = "application/vnd.oci.image.index.v1+json";

  /** OCI: what an image consists of. */
  public static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

  /** OCI: how to run an image. */
  public static final String CONFIG = "application/vnd.oci.image.config.v1+json";

  /** OCI: a layer, not compressed. */
  public static final String LAYER = "application/vnd.oci.image.layer.v1.tar";

  /** OCI: a layer, compressed with gzip. */
  public static final String LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

  /** OCI: a layer, compressed with zstandard. */
  public static final String LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";

  /** Docker schema 2: a list of manifests. */
  public static final String DOCKER_LIST =
      "application/vnd.docker.distribution.manifest.list.v2+json";

  /** Docker schema 2: what an image consists of. */
  public static final String DOCKER_MANIFEST =
      "application/vnd.docker.distribution.manifest.v2+json";

  /** Docker schema 2: how to run an image. */
  public static final String DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";

  /** Docker schema 2: a layer, not compressed. */
  public static final String DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";

  /** Docker schema 2: a layer, compressed with gzip. */
  public static final String DOCKER_LAYER_GZIP =
      "application/vnd.docker.image.rootfs.diff.tar.gzip";

  /** Docker: a layer that must not be pushed, compressed with gzip. */
  public static final String DOCKER_FOREIGN_LAYER_GZIP =
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

  private static final String SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+";
  private static final Set<String> INDEXES = Set.of(INDEX, DOCKER_LIST);
  private static final Set<String> MANIFESTS = Set.of(MANIFEST, DOCKER_MANIFEST);
  private static final Set<String> CONFIGS = Set.of(CONFIG, DOCKER_CONFIG);

  private MediaTypes() {}

  /** True for a list of manifests. */
  public static boolean isIndex(String mediaType) {
    return INDEXES.contains(mediaType);
  }

  /** True for a manifest of an image. */
  public static boolean isManifest(String mediaType) {
    return MANIFESTS.contains(mediaType);
  }

  /** True for the configuration of an image. */
  public static boolean isConfig(String mediaType) {
    return CONFIGS.contains(mediaType);
  }

  /** True for a manifest of Docker schema 1, which nobody should make or run any more. */
  public static boolean isSchema1(String mediaType) {
    return mediaType.startsWith(SCHEMA_1);
  }

  /** True for a file system layer of any form. */
  public static boolean isLayer(String mediaType) {
    return mediaType.startsWith("application/vnd.oci.image.layer.")
        || mediaType.startsWith("application/vnd.docker.image.rootfs.");
  }

  /** True for a layer that must not be passed on: it is not pushed, and comes from elsewhere. */
  public static boolean isNondistributable(String mediaType) {
    return mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.")
        || mediaType.startsWith("application/vnd.docker.image.rootfs.foreign.");
  }
}

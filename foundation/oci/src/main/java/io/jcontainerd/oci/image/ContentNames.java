package io.jcontainerd.oci.image;

import io.jcontainerd.core.Descriptor;

/** What containerd's clients call the parts of an image while they are on their way. */
public final class ContentNames {
  private static final String ATTESTATION = "application/vnd.in-toto+json";

  private ContentNames() {}

  /**
   * The name of a part, such as {@code layer-sha256:…}. Ingests have these names too, so that
   * whoever comes later continues what an earlier try left.
   */
  public static String of(Descriptor part) {
    return kind(part.mediaType()) + "-" + part.digest();
  }

  private static String kind(String type) {
    if (MediaTypes.isIndex(type)) {
      return "index";
    }
    if (MediaTypes.isManifest(type)) {
      return "manifest";
    }
    if (MediaTypes.isConfig(type)) {
      return "config";
    }
    if (MediaTypes.isLayer(type)) {
      return "layer";
    }
    return type.equals(ATTESTATION) ? "attestation" : "unknown";
  }
}

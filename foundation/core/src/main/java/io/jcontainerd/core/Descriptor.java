package io.jcontainerd.core;

import java.util.Map;

/**
 * What points at a blob: its type, name and size (OCI image-spec, "Content Descriptors").
 *
 * @param mediaType such as {@code application/vnd.oci.image.manifest.v1+json}; may be empty
 * @param digest the blob's name
 * @param size in bytes; 0 when unknown
 * @param annotations free text by key
 */
public record Descriptor(
    String mediaType, Digest digest, long size, Map<String, String> annotations) {

  /** Copies the annotations. */
  public Descriptor {
    annotations = Map.copyOf(annotations);
  }

  /** A descriptor without annotations. */
  public Descriptor(String mediaType, Digest digest, long size) {
    this(mediaType, digest, size, Map.of());
  }
}

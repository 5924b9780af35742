package io.jcontainerd.core;

import java.util.List;
import java.util.Map;

/**
 * What points at a blob: its type, name and size (OCI image-spec, "Content Descriptors").
 *
 * @param mediaType such as {@code application/vnd.oci.image.manifest.v1+json}; may be empty
 * @param digest the blob's name
 * @param size in bytes; 0 when unknown
 * @param annotations free text by key
 * @param urls where else the blob may be had
 */
public record Descriptor(
    String mediaType,
    Digest digest,
    long size,
    Map<String, String> annotations,
    List<String> urls) {

  /** Copies annotations and addresses. */
  public Descriptor {
    annotations = Map.copyOf(annotations);
    urls = List.copyOf(urls);
  }

  /** A descriptor without addresses. */
  public Descriptor(String mediaType, Digest digest, long size, Map<String, String> annotations) {
    this(mediaType, digest, size, annotations, List.of());
  }

  /** A descriptor without annotations. */
  public Descriptor(String mediaType, Digest digest, long size) {
    this(mediaType, digest, size, Map.of());
  }
}

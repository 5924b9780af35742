package io.jcontainerd.core.content;

import io.jcontainerd.core.Digest;
import java.time.Instant;
import java.util.Map;

/**
 * What is known of a committed blob.
 *
 * @param digest its name
 * @param size in bytes
 * @param createdAt when it was committed
 * @param updatedAt when its labels last changed
 * @param labels free text by key; empty in a store without labels
 */
public record ContentInfo(
    Digest digest, long size, Instant createdAt, Instant updatedAt, Map<String, String> labels) {

  /** Copies the labels. */
  public ContentInfo {
    labels = Map.copyOf(labels);
  }
}

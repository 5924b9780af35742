package io.jcontainerd.core.images;

import io.jcontainerd.core.Descriptor;
import java.time.Instant;
import java.util.Map;

/**
 * A name for a blob, usually an index or a manifest. The blob need not exist.
 *
 * @param name any text
 * @param target what it names
 * @param labels free text by key
 * @param createdAt when it was first stored
 * @param updatedAt when it last changed
 */
public record Image(
    String name,
    Descriptor target,
    Map<String, String> labels,
    Instant createdAt,
    Instant updatedAt) {

  /** Copies the labels. */
  public Image {
    labels = Map.copyOf(labels);
  }
}

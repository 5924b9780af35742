package io.jcontainerd.core.leases;

import java.time.Instant;
import java.util.Map;

/**
 * What keeps resources from the garbage collector.
 *
 * @param id unique in its namespace
 * @param createdAt when it was granted
 * @param labels such as {@code containerd.io/gc.expire}
 */
public record Lease(String id, Instant createdAt, Map<String, String> labels) {

  /** Copies the labels. */
  public Lease {
    labels = Map.copyOf(labels);
  }

  /**
   * Something that a lease keeps.
   *
   * @param id a digest, a ref, an image's name or a snapshot's key
   * @param type {@code content}, {@code ingests}, {@code images} or {@code snapshots/NAME}
   */
  public record Resource(String id, String type) {}
}

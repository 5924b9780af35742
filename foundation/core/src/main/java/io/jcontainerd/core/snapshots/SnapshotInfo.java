package io.jcontainerd.core.snapshots;

import java.time.Instant;
import java.util.Map;

/**
 * What is known of a snapshot.
 *
 * @param kind what it can be used for
 * @param name its key, or its name once committed
 * @param parent the committed snapshot it stands on; empty for none
 * @param labels free text by key
 * @param createdAt when it was prepared
 * @param updatedAt when it last changed
 */
public record SnapshotInfo(
    SnapshotKind kind,
    String name,
    String parent,
    Map<String, String> labels,
    Instant createdAt,
    Instant updatedAt) {

  /** Copies the labels. */
  public SnapshotInfo {
    labels = Map.copyOf(labels);
  }
}

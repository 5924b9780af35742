package io.jcontainerd.core.containers;

import io.jcontainerd.core.TypedValue;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What is needed to run a task, kept; not itself a process.
 *
 * @param id an identifier
 * @param labels free text by key
 * @param image the name of the image it was made from; may be empty
 * @param runtime how its tasks run
 * @param spec the OCI runtime-spec document
 * @param snapshotter where its root file system is; may be empty
 * @param snapshotKey the root file system; may be empty
 * @param extensions kept for clients
 * @param sandbox the id of its sandbox; may be empty
 * @param createdAt when it was stored
 * @param updatedAt when it last changed
 */
public record Container(
    String id,
    Map<String, String> labels,
    String image,
    Runtime runtime,
    Optional<TypedValue> spec,
    String snapshotter,
    String snapshotKey,
    Map<String, TypedValue> extensions,
    String sandbox,
    Instant createdAt,
    Instant updatedAt) {

  /** Copies labels and extensions. */
  public Container {
    labels = Map.copyOf(labels);
    extensions = Map.copyOf(extensions);
  }

  /**
   * How tasks run.
   *
   * @param name a runtime name or the absolute path of a shim binary
   * @param options for the shim
   */
  public record Runtime(String name, Optional<TypedValue> options) {}
}

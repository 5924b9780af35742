package io.jcontainerd.core.sandboxes;

import io.jcontainerd.core.TypedValue;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What containers of a group share, kept; not itself running.
 *
 * @param id an identifier
 * @param sandboxer the name of the controller that runs it; may be empty
 * @param runtime which shim keeps it
 * @param spec as the client wrote it
 * @param labels free text by key
 * @param extensions kept for clients
 * @param createdAt when it was stored
 * @param updatedAt when it last changed
 */
public record Sandbox(
    String id,
    String sandboxer,
    Runtime runtime,
    Optional<TypedValue> spec,
    Map<String, String> labels,
    Map<String, TypedValue> extensions,
    Instant createdAt,
    Instant updatedAt) {

  /** Copies labels and extensions. */
  public Sandbox {
    labels = Map.copyOf(labels);
    extensions = Map.copyOf(extensions);
  }

  /**
   * Which shim keeps a sandbox.
   *
   * @param name a runtime name or the absolute path of a shim binary; may be empty
   * @param options for the shim
   */
  public record Runtime(String name, Optional<TypedValue> options) {
    /** Where the controller needs none. */
    public static final Runtime NONE = new Runtime("", Optional.empty());
  }
}

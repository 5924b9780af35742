package io.jcontainerd.core.mount;

import java.util.List;
import java.util.Map;

/**
 * A list of mounts of which the first part is done.
 *
 * @param name by which it is known in its namespace
 * @param active what was done, in order
 * @param system what is left to be done by whoever wants the tree; never anything but what the
 *     kernel understands
 * @param labels for clients and the garbage collector
 */
public record Activation(
    String name, List<ActiveMount> active, List<Mount> system, Map<String, String> labels) {
  /** Copies everything. */
  public Activation {
    active = List.copyOf(active);
    system = List.copyOf(system);
    labels = Map.copyOf(labels);
  }
}

package io.jcontainerd.core.mount;

import java.util.Map;
import java.util.Set;

/**
 * How mounts are activated.
 *
 * @param labels for the record
 * @param temporary whether all mounts are done, so that one bind mount is left
 * @param allowed types that the caller can do itself; {@code format/*} stands for all types that
 *     begin so
 */
public record ActivationOptions(
    Map<String, String> labels, boolean temporary, Set<String> allowed) {
  /** Nothing out of the ordinary. */
  public static final ActivationOptions NONE = new ActivationOptions(Map.of(), false, Set.of());

  /** Copies everything. */
  public ActivationOptions {
    labels = Map.copyOf(labels);
    allowed = Set.copyOf(allowed);
  }

  /** These with labels. */
  public ActivationOptions withLabels(Map<String, String> all) {
    return new ActivationOptions(all, temporary, allowed);
  }

  /** These for a caller who only wants to look at the tree. */
  public ActivationOptions forAWhile() {
    return new ActivationOptions(labels, true, allowed);
  }
}

package io.jcontainerd.core.filter;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a filter may ask of one object: the value at a path, or nothing where there is none. */
@FunctionalInterface
public interface Fields {
  /**
   * The value at a path.
   *
   * @param path at least one component, for instance {@code [labels, io, cri-containerd, kind]}
   */
  Optional<String> field(List<String> path);

  /**
   * Looks up {@code path} in a map below its first component: the remaining components, joined by
   * dots, are the key, so that {@code labels.a.b} and {@code labels."a.b"} are the same question.
   */
  static Optional<String> entry(Map<String, String> map, List<String> path) {
    return Optional.ofNullable(map.get(String.join(".", path.subList(1, path.size()))));
  }

  /** A value that counts as absent when it is empty. */
  static Optional<String> nonEmpty(String value) {
    return value.isEmpty() ? Optional.empty() : Optional.of(value);
  }
}

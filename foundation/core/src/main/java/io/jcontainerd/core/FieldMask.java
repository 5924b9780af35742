package io.jcontainerd.core;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which parts of a record an update changes: proto field names, a map's key following the first
 * dot, such as {@code labels.some.key}. Without paths, everything that may change is replaced.
 *
 * @param paths in the order given
 */
public record FieldMask(List<String> paths) {
  /** Replaces everything that may change. */
  public static final FieldMask ALL = new FieldMask(List.of());

  /** Copies the paths. */
  public FieldMask {
    paths = List.copyOf(paths);
  }

  /** Whether there are no paths, so that everything mutable is replaced. */
  public boolean isAll() {
    return paths.isEmpty();
  }

  /**
   * Applies one path of a map field: {@code field} replaces the whole map, {@code field.KEY} sets
   * one entry, or removes it if its new value is the empty string.
   *
   * @param path a path that {@link #selects} this field
   * @return the new map
   */
  public static Map<String, String> patch(
      String path, String field, Map<String, String> current, Map<String, String> updated) {
    if (path.equals(field)) {
      return Map.copyOf(updated);
    }
    String key = path.substring(field.length() + 1);
    Map<String, String> patched = new HashMap<>(current);
    String value = updated.getOrDefault(key, "");
    if (value.isEmpty()) {
      patched.remove(key);
    } else {
      patched.put(key, value);
    }
    return Map.copyOf(patched);
  }

  /** Whether the path names the field or an entry of it. */
  public static boolean selects(String path, String field) {
    return path.equals(field) || path.startsWith(field + ".");
  }

  /** The failure for a path that the record does not let change. */
  public static InvalidArgumentException refused(String path, String what) {
    return new InvalidArgumentException("cannot update %s field \"%s\"".formatted(what, path));
  }
}

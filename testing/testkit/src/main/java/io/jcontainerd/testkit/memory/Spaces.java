package io.jcontainerd.testkit.memory;

import io.jcontainerd.core.Call;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** A sorted map for each namespace. The owner guards it. */
final class Spaces<K extends Comparable<K>, V> {
  private final Map<String, TreeMap<K, V>> spaces = new TreeMap<>();

  /** The map of the current call's namespace. */
  NavigableMap<K, V> current() {
    return spaces.computeIfAbsent(
        Call.current().namespaceHeader().orElse(""), _ -> new TreeMap<>());
  }
}

package io.jcontainerd.metadata;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Snapshots that were lost and forgotten, and of which their namespace was not told yet: it may be
 * anybody's call, or the collector, that finds the loss. Safe for many threads.
 */
final class UntoldLosses {
  private final Map<String, Set<String>> keys = new HashMap<>();

  synchronized void add(String namespace, String key) {
    keys.computeIfAbsent(namespace, _ -> new TreeSet<>()).add(key);
  }

  /** What the namespace is told of now. */
  synchronized Set<String> take(String namespace) {
    Set<String> taken = keys.remove(namespace);
    return taken == null ? Set.of() : taken;
  }

  synchronized void clear() {
    keys.clear();
  }
}

package io.jcontainerd.endure;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is not as it should be, in words; of each kind, told by the first word, the first ones. Safe
 * for many threads.
 */
final class Problems {
  private static final int MOST_OF_A_KIND = 50;

  private final Map<String, Integer> kinds = new HashMap<>();
  private final List<String> all = new ArrayList<>();
  private int count;

  synchronized void add(String what) {
    count++;
    String kind = what.split("[ |]", 2)[0];
    if (kinds.merge(kind, 1, Integer::sum) <= MOST_OF_A_KIND) {
      all.add(what);
    }
  }

  /** Unless it holds. */
  void unless(boolean holds, String what) {
    if (!holds) {
      add(what);
    }
  }

  synchronized int count() {
    return count;
  }

  synchronized List<String> all() {
    return List.copyOf(all);
  }
}

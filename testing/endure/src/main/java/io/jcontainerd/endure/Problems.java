package io.jcontainerd.endure;

import java.util.ArrayList;
import java.util.List;

/** What is not as it should be, in words. Safe for many threads. */
final class Problems {
  private static final int MOST = 200;

  private final List<String> all = new ArrayList<>();
  private int count;

  synchronized void add(String what) {
    count++;
    if (all.size() < MOST) {
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

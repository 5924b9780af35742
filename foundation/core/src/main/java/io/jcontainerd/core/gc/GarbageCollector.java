package io.jcontainerd.core.gc;

import java.time.Duration;

/** Removes what nothing refers to. Safe for many threads. */
public interface GarbageCollector {
  /**
   * Asks for a collection that begins after this call, and waits for its end.
   *
   * @return how long it held other writers up
   * @throws io.jcontainerd.core.failure.ContainerdException if it failed
   */
  Duration collect();
}

package io.jcontainerd.runtime.shim;

import java.time.Duration;

/**
 * How long the daemon waits for shims. The first five are containerd's {@code timeouts} table; the
 * rest has no limit there.
 *
 * @param shimCleanup for the whole clean-up after a dead shim
 * @param shimLoad for a shim found at start to answer
 * @param shimShutdown for a shim to take its order to leave
 * @param taskState for one question after a task's state
 * @param shimStats for one task's numbers
 * @param connect for a shim to accept a connection
 * @param shimStart for a shim's start action
 * @param operation for any other request whose caller sets no deadline
 */
public record Timeouts(
    Duration shimCleanup,
    Duration shimLoad,
    Duration shimShutdown,
    Duration taskState,
    Duration shimStats,
    Duration connect,
    Duration shimStart,
    Duration operation) {

  /** What holds unless configured otherwise. */
  public static final Timeouts DEFAULT =
      new Timeouts(
          Duration.ofSeconds(5),
          Duration.ofSeconds(5),
          Duration.ofSeconds(3),
          Duration.ofSeconds(2),
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          Duration.ofMinutes(10));
}

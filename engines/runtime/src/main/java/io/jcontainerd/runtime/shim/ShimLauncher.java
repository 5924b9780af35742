package io.jcontainerd.runtime.shim;

import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.runtime.bundle.Bundle;
import java.time.Duration;
import java.util.Optional;

/** One way of having shims. Safe for many threads. */
public interface ShimLauncher {
  /**
   * What a shim is started for.
   *
   * @param runtime the runtime's name, or the absolute path of a shim's program
   * @param options for the shim
   */
  record Launch(String runtime, Optional<TypedValue> options) {}

  /** Whether runtimes of that name are kept by it. */
  boolean keeps(String runtime);

  /**
   * Gives the bundle a shim that answers, and writes into the bundle how to find it again. After a
   * failure no shim is left behind for the bundle.
   */
  Shim launch(Bundle bundle, Launch launch) throws InterruptedException;

  /**
   * The shim that was launched has the bundle's task now, or nobody will ask it to: until then it
   * does not leave for want of tasks. Harmless when repeated.
   */
  default void settled(Bundle bundle) {}

  /** Whether a bundle found on disk is one of its own. */
  boolean owns(Bundle bundle);

  /**
   * Connects to the shim that the bundle names, with one attempt.
   *
   * @param limit for the connection
   */
  Shim reconnect(Bundle bundle, Duration limit) throws InterruptedException;

  /** All tasks of an earlier daemon were looked for: sees to what else it has left. */
  default void recovered() throws InterruptedException {}

  /**
   * After a connection was lost: the successor that has taken over the bundle's task, if there is
   * one.
   */
  Optional<Shim> successor(Bundle bundle) throws InterruptedException;

  /** Whether its shims drop an event which the daemon was too long away to take. */
  boolean forgetsEvents();

  /** Lets go of a shim whose task was deleted, so that it ends if it keeps nothing else. */
  void release(Shim shim, Bundle bundle, Duration limit) throws InterruptedException;

  /**
   * Kills and removes what a dead shim left of the task, except the bundle.
   *
   * @return how the init process is taken to have ended
   */
  Exit reap(Bundle bundle, String runtime, Duration limit) throws InterruptedException;

  /** The options that a task gets when its request and its container say these. */
  default Optional<TypedValue> options(Optional<TypedValue> given) {
    return given;
  }

  /** What the runtime tells about itself. */
  RuntimeInfo info(String runtime, Optional<TypedValue> options, Duration limit)
      throws InterruptedException;
}

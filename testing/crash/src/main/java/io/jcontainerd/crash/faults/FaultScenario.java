package io.jcontainerd.crash.faults;

import io.jcontainerd.crash.world.World;

/**
 * Something in which every call of a port fails in turn.
 *
 * @param before what was there already
 * @param action what fails; done again afterwards it must succeed, or find itself done
 * @param kind what the action is
 */
record FaultScenario(String name, Step before, Step action, Kind kind) {
  /** What an action is. */
  enum Kind {
    /** One call of the API, which is done wholly or not at all. */
    ONE_CALL,
    /** Several calls, of which some may be done. */
    SEVERAL_CALLS,
    /** None: the daemon's start is what fails. */
    START
  }

  /** A part of a scenario. */
  @FunctionalInterface
  interface Step {
    void in(World world) throws Exception;
  }

  @Override
  public String toString() {
    return name;
  }
}

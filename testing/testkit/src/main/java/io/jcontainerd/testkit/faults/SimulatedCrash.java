package io.jcontainerd.testkit.faults;

/** The process "died" here: no later call of a port has any effect. */
public final class SimulatedCrash extends Error {
  private static final long serialVersionUID = 1L;

  SimulatedCrash(String where) {
    super("crashed at " + where);
  }
}

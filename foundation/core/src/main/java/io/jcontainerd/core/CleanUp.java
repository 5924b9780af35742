package io.jcontainerd.core;

/**
 * Work that must be done although the caller was cancelled: what is begun has to be undone, or
 * ended, whatever made it stop. For a few steps that end soon, never for the work itself.
 */
public final class CleanUp {
  private CleanUp() {}

  /** Runs with the thread's interrupt taken away, and gives it back after. */
  public static void run(Runnable steps) {
    boolean interrupted = Thread.interrupted();
    try {
      steps.run();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

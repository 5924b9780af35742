package io.jcontainerd.core;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;

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

  /**
   * The same, safe from an interrupt that comes meanwhile, too: another thread takes the steps, in
   * the current call, and this one waits for it. For steps that wait themselves, where a caller may
   * be cancelled twice for one reason. The wait has no limit but those of the steps.
   */
  public static void apart(Runnable steps) {
    FutureTask<Boolean> task =
        new FutureTask<>(
            Call.carrying(
                () -> {
                  steps.run();
                  return true;
                }));
    Thread.ofVirtual().name("clean-up").start(task);
    boolean interrupted = false;
    try {
      while (!task.isDone()) {
        interrupted |= !ends(task);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    if (task.state() == Future.State.FAILED) {
      throw switch (task.exceptionNow()) {
        case RuntimeException failure -> failure;
        case Error error -> throw error;
        case Throwable other -> new IllegalStateException(other);
      };
    }
  }

  /** False if the wait was interrupted. */
  private static boolean ends(FutureTask<Boolean> task) {
    try {
      return task.get();
    } catch (InterruptedException _) {
      return false;
    } catch (ExecutionException _) {
      return true; // told by its state
    }
  }
}

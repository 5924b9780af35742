package io.jcontainerd.core.operation;

import java.time.Duration;

/**
 * The end of threads that were told to end and work with what the caller is about to give back:
 * folders, buffers, descriptors. So there is no limit, whatever holds them up, such as a disk that
 * hangs; instead the operation that the caller is part of tells of it.
 */
public final class Ending {
  /** Longer than threads take that are not held up. */
  private static final Duration SOON = Duration.ofSeconds(1);

  private Ending() {}

  /** Waits for the end, also when interrupted, which is kept. */
  public static void await(Thread thread) {
    boolean interrupted = false;
    boolean told = false;
    while (thread.isAlive()) {
      try {
        if (!thread.join(SOON) && !told) {
          told = true;
          RunningOperation.tell("end", "thread " + thread.getName() + ", which was told to end");
        }
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

package io.jcontainerd.linux;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Runs a call that the kernel may hold for long. A call into C keeps the carrier of a virtual
 * thread, so from one it goes to a platform thread of its own; from a platform thread it runs in
 * place.
 */
final class Blocking {
  /** A call without a result. */
  interface Action {
    void run() throws IOException;
  }

  private Blocking() {}

  static void run(String name, Action action) throws IOException {
    if (!Thread.currentThread().isVirtual()) {
      action.run();
      return;
    }
    onThread(
        name,
        () -> {
          action.run();
          return Boolean.TRUE;
        });
  }

  /**
   * Runs on a fresh platform thread that ends after the call, whoever the caller is. The caller
   * waits until the call is over even when interrupted, since a system call cannot be taken back;
   * the interrupt is kept. Nor does it have a limit: what the call works with must stay.
   */
  static <T> T onThread(String name, Callable<T> call) throws IOException {
    FutureTask<T> task = new FutureTask<>(call);
    Thread.ofPlatform().name("kernel-" + name).daemon(true).start(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          switch (e.getCause()) {
            case IOException io -> throw io;
            case RuntimeException unchecked -> throw unchecked;
            case Error error -> throw error;
            case null, default -> throw new IOException(name, e.getCause());
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

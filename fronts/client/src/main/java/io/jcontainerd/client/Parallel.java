package io.jcontainerd.client;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/**
 * Several pieces of one work on virtual threads, not too many at once, in the call of whoever
 * began. Closing interrupts what still runs and waits for it, so no thread is left behind. A piece
 * may take as long as its bytes do, and fails when they stop; whoever waits can be interrupted.
 */
final class Parallel implements AutoCloseable {
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore slots;
  private final List<Future<?>> begun = new ArrayList<>();

  Parallel(int atOnce) {
    this.slots = new Semaphore(atOnce);
  }

  <T> Future<T> begin(Callable<T> work) {
    Callable<T> carried = Call.carrying(work);
    Future<T> future =
        threads.submit(
            () -> {
              slots.acquire();
              try {
                return carried.call();
              } finally {
                slots.release();
              }
            });
    begun.add(future);
    return future;
  }

  /** Waits for a piece; its failure is thrown as it was. */
  static <T> T await(Future<T> future) {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("waiting for parts", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case ContainerdException failure -> throw failure;
        case RuntimeException bug -> throw bug;
        case Error error -> throw error;
        case null, default -> throw new CancelledException("a part was interrupted", e);
      }
    }
  }

  @Override
  public void close() {
    begun.forEach(future -> future.cancel(true));
    threads.close();
  }
}

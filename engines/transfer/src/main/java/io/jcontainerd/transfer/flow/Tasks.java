package io.jcontainerd.transfer.flow;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.operation.RunningOperation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Pieces of one work, each on a thread of its own in the call of whoever began. The first failure
 * is the failure of all. Closing interrupts what still runs and waits for it, so no thread is left
 * behind. For one thread.
 *
 * <p>Neither wait has a limit: how long a piece may take is for the piece to know, and what it
 * works with is the caller's to give back. The operation that the caller is part of is listed,
 * cancelled, and tells when the end takes long.
 */
public final class Tasks implements AutoCloseable {
  /** Longer than pieces take to end that are not held up. */
  private static final Duration SOON = Duration.ofSeconds(1);

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final BlockingQueue<Future<?>> finished = new LinkedBlockingQueue<>();
  private final List<Future<?>> begun = new ArrayList<>();
  private int awaited;

  /** A piece of work. */
  @FunctionalInterface
  public interface Task {
    /** Does it. */
    void run() throws InterruptedException;
  }

  /** Begins a piece. */
  public void begin(Task work) {
    Callable<Void> carried =
        Call.carrying(
            () -> {
              work.run();
              return null;
            });
    FutureTask<Void> task =
        new FutureTask<>(carried) {
          @Override
          protected void done() {
            finished.add(this);
          }
        };
    begun.add(task);
    threads.execute(task);
  }

  /** Waits for all that was begun; throws the first failure as it was. */
  public void join() {
    try {
      while (awaited < begun.size()) {
        Future<?> next = finished.take();
        awaited++;
        next.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("waiting for parts of a transfer", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException failure -> throw failure;
        case Error error -> throw error;
        case null, default -> throw new CancelledException("a part was interrupted", e);
      }
    }
  }

  @Override
  public void close() {
    begun.forEach(future -> future.cancel(true));
    threads.shutdown();
    CleanUp.run(this::tellIfItTakesLong);
    threads.close();
  }

  private void tellIfItTakesLong() {
    try {
      if (!threads.awaitTermination(SOON.toNanos(), TimeUnit.NANOSECONDS)) {
        RunningOperation.tell("end", "parts of it that were told to end");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}

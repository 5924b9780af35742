package io.jcontainerd.testkit.contract;

import io.jcontainerd.core.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Tasks that are begun at one moment, each on a thread of its own within the caller's call. */
final class Race {
  private Race() {}

  /** What the tasks answered, in their order. */
  static <T> List<T> of(List<? extends Callable<T>> tasks) throws InterruptedException {
    var start = new CountDownLatch(1);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running = new ArrayList<Future<T>>();
      for (Callable<T> task : tasks) {
        Callable<T> whenStarted =
            () -> {
              start.await();
              return task.call();
            };
        running.add(threads.submit(Call.carrying(whenStarted)));
      }
      start.countDown();
      var answers = new ArrayList<T>();
      for (Future<T> one : running) {
        try {
          answers.add(one.get());
        } catch (ExecutionException e) {
          throw new AssertionError("a task failed with what was not expected of it", e.getCause());
        }
      }
      return answers;
    }
  }
}

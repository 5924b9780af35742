package io.jcontainerd.services;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The numbers of many tasks at once. Every task is asked on a thread of its own, so that one shim
 * that hangs until its deadline holds up no other; a task that fails is left out.
 */
final class TaskMetrics {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");

  private final TaskRuntime runtime;

  TaskMetrics(TaskRuntime runtime) {
    this.runtime = runtime;
  }

  List<TaskRuntime.Metrics> read(Filter filter) throws InterruptedException {
    String namespace = Call.currentNamespace();
    List<String> ids =
        runtime.list().stream()
            .map(TaskProcess::containerId)
            .filter(id -> filter.matches(fields(id, namespace)))
            .toList();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Optional<TaskRuntime.Metrics>>> asked =
          ids.stream().map(id -> threads.submit(Call.carrying(() -> one(id)))).toList();
      try {
        for (Future<?> one : asked) {
          one.get();
        }
      } catch (ExecutionException e) {
        throw new IllegalStateException("metrics cannot be read", e.getCause());
      } finally {
        asked.forEach(one -> one.cancel(true));
      }
      return asked.stream().map(Future::resultNow).flatMap(Optional::stream).toList();
    }
  }

  private Optional<TaskRuntime.Metrics> one(String id) throws InterruptedException {
    try {
      return Optional.of(runtime.metrics(id));
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "task " + id + ": no metrics", e);
      return Optional.empty();
    }
  }

  private static Fields fields(String id, String namespace) {
    return path ->
        switch (path.getFirst()) {
          case "id" -> Optional.of(id);
          case "namespace" -> Optional.of(namespace);
          default -> Optional.empty();
        };
  }
}

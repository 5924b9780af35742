package io.jcontainerd.runtime;

import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Every task of the daemon by namespace and container id. Safe for many threads. */
final class TaskTable {
  private record Key(String namespace, String id) {}

  private final Map<Key, Task> tasks = new ConcurrentHashMap<>();

  /**
   * Takes a name. Waits for the remains of a former task of that name to be gone.
   *
   * @throws AlreadyExistsException if a task has it, or is being created with it
   * @throws UnavailableException if the remains are still there after the limit
   */
  void reserve(Task task, Duration limit) throws InterruptedException {
    var key = new Key(task.namespace(), task.id());
    long deadline = System.nanoTime() + limit.toNanos();
    Task before = tasks.putIfAbsent(key, task);
    while (before != null) {
      if (before.isLive() || before.isCreating()) {
        throw new AlreadyExistsException("task " + task.id());
      }
      Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      if (before.awaitCleared(left).isEmpty()) {
        throw new UnavailableException("task " + task.id() + ": the former one is still removed");
      }
      before = tasks.putIfAbsent(key, task);
    }
  }

  /** The task if its shim keeps it. */
  Optional<Task> find(String namespace, String id) {
    return Optional.ofNullable(tasks.get(new Key(namespace, id))).filter(Task::isLive);
  }

  /**
   * The task if its shim keeps it.
   *
   * @throws NotFoundException if there is none
   */
  Task live(String namespace, String id) {
    return find(namespace, id)
        .orElseThrow(() -> new NotFoundException("task " + id + " not found"));
  }

  /** Those of a namespace whose shim keeps them, in order of their ids. */
  List<Task> in(String namespace) {
    return tasks.values().stream()
        .filter(t -> t.namespace().equals(namespace) && t.isLive())
        .sorted(java.util.Comparator.comparing(Task::id))
        .toList();
  }

  /** The entry of a name, whatever its stage. */
  Optional<Task> entry(String namespace, String id) {
    return Optional.ofNullable(tasks.get(new Key(namespace, id)));
  }

  /** Every entry, whatever its stage. */
  List<Task> all() {
    return List.copyOf(tasks.values());
  }

  /** Gives the name back. */
  void remove(Task task, Optional<io.jcontainerd.core.tasks.Exit> exit) {
    tasks.remove(new Key(task.namespace(), task.id()), task);
    task.cleared(exit);
  }
}

package io.jcontainerd.runtime;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.runtime.shim.Limits;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.Timeouts;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is done to tasks, as operations: listed, told in stages, joined by who asks for the same,
 * and cancelled down to the commands of the OCI runtime where the shim is one of ours.
 */
final class TaskWork {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final String CREATE = "create";
  private static final String START = "start";
  private static final String EXEC = "exec";
  private static final String DELETE = "delete";
  private static final Map<String, List<String>> FOLLOWS =
      Map.of(
          CREATE, List.of(START, DELETE),
          START, List.of(CREATE, EXEC, DELETE),
          EXEC, List.of(START, DELETE),
          DELETE, List.of(CREATE, EXEC, START));

  /** So long a client that has left is given to ask again. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final SharedWork.Manner CREATION =
      new SharedWork.Manner(PATIENCE, true, FOLLOWS.getOrDefault(CREATE, List.of()));

  /** Its checkpoint's folder goes with the call. */
  private static final SharedWork.Manner RESTORATION =
      new SharedWork.Manner(Duration.ZERO, true, FOLLOWS.getOrDefault(CREATE, List.of()));

  private final OperationRegistry operations;
  private final SharedWork shared;
  private final TaskTable tasks;
  private final TaskEnd end;
  private final Timeouts timeouts;

  TaskWork(OperationRegistry operations, TaskTable tasks, TaskEnd end, Timeouts timeouts) {
    this.operations = operations;
    this.shared = new SharedWork(operations);
    this.tasks = tasks;
    this.end = end;
    this.timeouts = timeouts;
  }

  /** What makes two requests for a task equal: all that the task is made of. */
  private record Wanted(
      Container.Runtime runtime,
      Optional<TypedValue> spec,
      String sandbox,
      List<Mount> rootfs,
      Stdio stdio,
      Optional<TypedValue> options,
      List<String> rest) {
    static Wanted of(CreateTask request) {
      Container container = request.container();
      return new Wanted(
          container.runtime(),
          container.spec(),
          container.sandbox(),
          request.rootfs(),
          request.stdio(),
          request.options(),
          List.of(
              request.checkpoint(),
              request.runtimePath(),
              request.taskApiAddress(),
              Integer.toString(request.taskApiVersion())));
    }
  }

  /** Makes a task. */
  @FunctionalInterface
  interface Making {
    Task make(RunningOperation operation, Consumer<Task> begun) throws InterruptedException;
  }

  /** Has a task made, and answers its process id. */
  int create(CreateTask request, Making making) throws InterruptedException {
    String id = request.container().id();
    return shared
        .run(
            creation(id),
            Wanted.of(request),
            request.checkpoint().isEmpty() ? CREATION : RESTORATION,
            Limits.atMost(timeouts.operation()),
            new SharedWork.Task<Task>() {
              private volatile @Nullable Task made;

              @Override
              public Task run(RunningOperation operation) throws InterruptedException {
                return making.make(
                    operation,
                    task -> {
                      made = task;
                      operation.lookedAtBy((seen, glance) -> TaskLook.at(seen, task, glance));
                    });
              }

              @Override
              public void cancel() throws InterruptedException {
                Task begun = made;
                if (begun != null) {
                  cancelInside(begun, CREATE, id);
                }
              }

              @Override
              public void undo(Task result) throws InterruptedException {
                end.unwanted(result);
              }

              @Override
              public ContainerdException refusal() {
                return new AlreadyExistsException("task " + id);
              }
            })
        .pid();
  }

  private static SharedWork.Key creation(String id) {
    return new SharedWork.Key(CREATE, Call.currentNamespace(), id);
  }

  /** Somebody works with a task: it is wanted, whoever asked for it first. */
  void wanted(Task task) {
    shared.claim(new SharedWork.Key(CREATE, task.namespace(), task.id()));
  }

  /** The task that is being deleted, or was with nobody to tell. */
  Optional<Task> deleted(String id) {
    return shared
        .asked(new SharedWork.Key(DELETE, Call.currentNamespace(), id))
        .filter(Asked.class::isInstance)
        .map(asked -> ((Asked) asked).task());
  }

  /**
   * Somebody wants a task gone that may still be created: without a caller that is given up. Waits
   * until nothing is left of it, so that whoever gets the answer can do the next thing.
   *
   * @throws UnavailableException if that takes longer than the caller, or any request, may wait
   */
  void unwanted(String id) throws InterruptedException {
    String namespace = Call.currentNamespace();
    if (tasks.find(namespace, id).isPresent()) {
      return;
    }
    Duration limit = Limits.atMost(timeouts.operation());
    long deadline = System.nanoTime() + limit.toNanos();
    if (!shared.giveUp(creation(id), limit) || deleted(id).isPresent()) {
      return; // somebody waits for it, or deletes it and is joined
    }
    Optional<Task> left =
        tasks.entry(namespace, id).filter(task -> !task.isLive() && !task.isCreating());
    if (left.isEmpty()) {
      return;
    }
    Duration rest = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
    if (left.get().awaitCleared(rest).isEmpty()) {
      throw new UnavailableException("task " + id + ": the former one is still removed");
    }
  }

  /** What is asked for, of which task: one of the same name is another. */
  private record Asked(Task task, Object request) {}

  /** Does something with a task's process. */
  @FunctionalInterface
  interface Change<T> {
    T make(RunningOperation operation) throws InterruptedException;
  }

  /**
   * Changes a task; whoever asks for the same meanwhile gets the same answer.
   *
   * @param request equal for calls that want the very same
   */
  <T> T change(Task task, String kind, String execId, Object request, Change<T> change)
      throws InterruptedException {
    wanted(task);
    String key = key(task, execId);
    return shared.run(
        new SharedWork.Key(kind, task.namespace(), key),
        new Asked(task, request),
        // it changes what is there, and is as good done as undone: it goes on to its end
        new SharedWork.Manner(PATIENCE, false, FOLLOWS.getOrDefault(kind, List.of())),
        Limits.atMost(timeouts.operation()),
        new SharedWork.Task<T>() {
          @Override
          public T run(RunningOperation operation) throws InterruptedException {
            operation.lookedAtBy((seen, glance) -> TaskLook.at(seen, task, glance));
            return change.make(operation);
          }

          @Override
          public void cancel() throws InterruptedException {
            cancelInside(task, kind, key);
          }

          @Override
          public ContainerdException refusal() {
            return new AlreadyExistsException(kind + " of " + key);
          }
        });
  }

  /** Does something that is not shared, on the caller's thread. */
  <T> T alone(Task task, String kind, String execId, Change<T> change) throws InterruptedException {
    wanted(task);
    Thread caller = Thread.currentThread();
    String key = key(task, execId);
    RunningOperation operation = operations.begin(kind, task.namespace(), key);
    try (operation) {
      operation.lookedAtBy((seen, glance) -> TaskLook.at(seen, task, glance));
      operation.cancelledBy(
          () ->
              Thread.ofVirtual()
                  .name("cancel of " + kind + " " + key)
                  .start(
                      () -> {
                        try {
                          cancelInside(task, kind, key);
                        } catch (InterruptedException e) {
                          Thread.currentThread().interrupt();
                        }
                        operation.cancelledBy(caller::interrupt); // at once, unless it is over
                      }));
      return change.make(operation);
    } catch (RuntimeException | InterruptedException | Error e) {
      operation.failed(e);
      throw e;
    }
  }

  /** Asks the shim, in a stage that says so. */
  <A extends MessageLite> A ask(
      RunningOperation operation, Task task, String method, MessageLite request, Parser<A> answer)
      throws InterruptedException {
    Shim shim = task.shim().orElseThrow();
    operation.stage(
        method.toLowerCase(Locale.ROOT),
        "the answer of shim " + shim.address().address() + " to " + method);
    return shim.call(
        task.namespace(),
        method,
        request,
        answer,
        Optional.of(Limits.atMost(timeouts.operation())));
  }

  private static String key(Task task, String execId) {
    return execId.isEmpty() ? task.id() : task.id() + "/" + execId;
  }

  /** A shim that cannot end what it does goes on; who waits for it does not. */
  private static void cancelInside(Task task, String kind, String key) throws InterruptedException {
    Optional<Shim> shim = task.shim();
    if (shim.isEmpty()) {
      return;
    }
    try {
      boolean told = shim.get().cancel(task.namespace(), kind, key);
      LOG.log(Level.INFO, "{0} of {1} is cancelled{2}", kind, key, told ? ", in its shim too" : "");
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, kind + " of " + key + " cannot be cancelled in its shim", e);
    }
  }
}

package io.jcontainerd.runtime.sandbox;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.runtime.Spec;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * The processes that hold the namespaces of pods which have one, each the task of a container that
 * is not recorded and has the id of the pod. Safe for many threads.
 */
final class PauseProcess {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int SIGTERM = 15;
  private static final int SIGKILL = 9;
  private static final Duration KILL = Duration.ofSeconds(30);

  private final TaskRuntime tasks;

  PauseProcess(TaskRuntime tasks) {
    this.tasks = tasks;
  }

  void create(SandboxController.Creation creation, Spec spec) throws InterruptedException {
    Sandbox sandbox = creation.sandbox();
    var container =
        new Container(
            sandbox.id(),
            sandbox.labels(),
            "",
            new Container.Runtime(sandbox.runtime().name(), sandbox.runtime().options()),
            Optional.of(new TypedValue(Spec.TYPE_URL, spec.toBytes())),
            "",
            "",
            Map.of(),
            "",
            Instant.EPOCH,
            Instant.EPOCH);
    int pid =
        tasks.create(
            new CreateTask(
                container, creation.rootfs(), Stdio.NONE, Optional.empty(), "", "", "", 0));
    LOG.log(Level.DEBUG, "process {0} holds the namespaces of pod {1}", pid, sandbox.id());
  }

  int start(String id) throws InterruptedException {
    return tasks.start(id, "");
  }

  /** The process; empty if there is none any more. */
  Optional<TaskProcess> find(String id) throws InterruptedException {
    try {
      return Optional.of(tasks.get(id, ""));
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  static boolean runs(TaskProcess process) {
    return switch (process.status()) {
      case RUNNING, PAUSED, PAUSING -> true;
      case CREATED, STOPPED, UNKNOWN -> false;
    };
  }

  Exit await(String id) throws InterruptedException {
    return tasks.waitFor(id, "");
  }

  TaskRuntime.Metrics metrics(String id) throws InterruptedException {
    return tasks.metrics(id);
  }

  /** Ends the process, whether it was started or not; no failure if it has ended. */
  Instant end(String id, Duration patience) throws InterruptedException {
    Optional<TaskProcess> process = find(id);
    if (process.isEmpty()) {
      return Instant.now();
    }
    if (process.get().status() == TaskStatus.STOPPED) {
      return process.get().exitedAt().orElseGet(Instant::now);
    }
    if (patience.isPositive() && runs(process.get()) && kill(id, SIGTERM)) {
      Optional<Exit> exit = awaitWithin(id, patience);
      if (exit.isPresent()) {
        return exit.get().exitedAt();
      }
    }
    kill(id, SIGKILL);
    return awaitWithin(id, KILL)
        .map(Exit::exitedAt)
        .orElseThrow(
            () -> new DeadlineExceededException("the process of pod " + id + " does not end"));
  }

  private boolean kill(String id, int signal) throws InterruptedException {
    try {
      tasks.kill(id, "", signal, false);
      return true;
    } catch (NotFoundException _) {
      return false; // it has ended by itself
    }
  }

  private Optional<Exit> awaitWithin(String id, Duration limit) throws InterruptedException {
    Instant own = Instant.now().plus(limit);
    Call call = Call.current();
    boolean callersIsSooner = call.deadline().filter(own::isAfter).isPresent();
    try {
      return new Call(
              call.namespaceHeader(),
              call.lease(),
              callersIsSooner ? call.deadline() : Optional.of(own))
          .call(() -> Optional.of(tasks.waitFor(id, "")));
    } catch (DeadlineExceededException e) {
      if (callersIsSooner) {
        throw e;
      }
      return Optional.empty();
    } catch (NotFoundException _) {
      return Optional.of(new Exit(0, 0, Instant.now())); // somebody removed it
    }
  }

  /** Ends and removes the process; no failure if there is none. */
  void remove(String id) throws InterruptedException {
    Instant ended = end(id, Duration.ZERO);
    try {
      Exit exit = tasks.delete(id);
      LOG.log(Level.DEBUG, "process {0} of pod {1} ended at {2}", exit.pid(), id, ended);
    } catch (NotFoundException _) {
      LOG.log(Level.DEBUG, "pod {0} has no process", id);
    }
  }
}

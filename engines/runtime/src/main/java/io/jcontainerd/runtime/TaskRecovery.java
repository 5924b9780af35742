package io.jcontainerd.runtime;

import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.PidsRequest;
import io.jcontainerd.api.runtime.task.v3.PidsResponse;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimLauncher;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.wire.Times;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Finds the tasks of an earlier daemon by their bundles. Shims that answer are taken over, what
 * dead ones left is removed; of the latter no event tells, for nobody of this daemon's time knew
 * them.
 */
final class TaskRecovery {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  private final TaskTable tasks;
  private final Bundles bundles;
  private final Launchers launchers;
  private final TaskEnd end;
  private final ExitWatch exits;
  private final Timeouts timeouts;

  TaskRecovery(
      TaskTable tasks,
      Bundles bundles,
      Launchers launchers,
      TaskEnd end,
      ExitWatch exits,
      Timeouts timeouts) {
    this.tasks = tasks;
    this.bundles = bundles;
    this.launchers = launchers;
    this.end = end;
    this.exits = exits;
    this.timeouts = timeouts;
  }

  void run(LocalTaskRuntime.RuntimeNames runtimeOf) throws InterruptedException {
    List<Bundle> found = bundles.list();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> loads = new ArrayList<>();
      for (Bundle bundle : found) {
        loads.add(
            threads.submit(
                () -> {
                  load(bundle, runtimeOf);
                  return null;
                }));
      }
      for (int i = 0; i < found.size(); i++) {
        try {
          loads.get(i).get(); // has limits for whatever it asks
        } catch (ExecutionException e) {
          LOG.log(Level.ERROR, found.get(i) + " could not be recovered", e.getCause());
        }
      }
    }
    Set<Bundle> kept = new HashSet<>();
    tasks.all().forEach(t -> kept.add(t.bundle()));
    kept.addAll(bundles.list());
    bundles.deleteStrays(kept);
    for (ShimLauncher launcher : launchers.all()) {
      launcher.recovered();
    }
  }

  private void load(Bundle bundle, LocalTaskRuntime.RuntimeNames runtimeOf)
      throws InterruptedException {
    if (bundles.isEmpty(bundle)) {
      bundles.delete(bundle);
      return;
    }
    Optional<String> runtime =
        bundles
            .readText(bundle, Bundle.SHIM_BINARY)
            .filter(t -> !t.isEmpty())
            .or(() -> runtimeOf.find(bundle.namespace(), bundle.id()));
    if (runtime.isEmpty()) {
      LOG.log(Level.WARNING, "{0} belongs to no container, removing it", bundle);
      bundles.delete(bundle);
      return;
    }
    var task = new Task(bundle, runtime.get(), bundles.readText(bundle, Bundle.SANDBOX).orElse(""));
    if (!task.sandbox().isEmpty() && bundles.read(bundle, Bundle.SHIM_BINARY).isEmpty()) {
      task.joins(); // no program was started for it
    }
    tasks.reserve(task, timeouts.shimLoad());
    try {
      load(task);
    } finally {
      if (task.isCreating()) { // neither taken over nor given up: left as it is, for another start
        tasks.remove(task, Optional.empty());
      }
    }
  }

  /** Takes the task over, or removes what its dead shim left. */
  private void load(Task task) throws InterruptedException {
    Bundle bundle = task.bundle();
    ShimLauncher launcher = launchers.forBundle(bundle);
    Shim shim = null;
    try {
      shim = launcher.reconnect(bundle, timeouts.shimLoad());
      task.attach(launcher, shim);
      learn(task, shim);
    } catch (UnavailableException | DeadlineExceededException e) {
      LOG.log(
          Level.INFO, "{0}: its shim does not answer, clearing up: {1}", bundle, e.getMessage());
      if (shim != null) {
        shim.close();
      }
      end.dead(task, launcher);
      return;
    }
    if (isLeaked(task, shim)) {
      LOG.log(Level.WARNING, "{0}: its shim keeps no task, ending it", bundle);
      end.leaked(task, shim);
      return;
    }
    task.live();
    end.watch(task, shim);
    lookForExit(task, shim);
  }

  /** Asks the shim about itself; one that answers at all lives, whatever it answers. */
  private void learn(Task task, Shim shim) throws InterruptedException {
    try {
      ConnectResponse who = shim.whoServes(task.namespace(), task.id(), timeouts.shimLoad());
      end.knowProcess(task, who.getShimPid());
      task.pid(who.getTaskPid());
    } catch (UnavailableException | DeadlineExceededException e) {
      throw e;
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "shim of " + task.bundle() + " does not tell its process", e);
    }
  }

  private boolean isLeaked(Task task, Shim shim) throws InterruptedException {
    try {
      PidsResponse pids =
          shim.call(
              task.namespace(),
              "Pids",
              PidsRequest.newBuilder().setId(task.id()).build(),
              PidsResponse.parser(),
              Optional.of(timeouts.shimLoad()));
      // a task that has ended keeps its exit for whoever asks; only without one is nothing lost
      return pids.getProcessesCount() == 0 && isUnknown(task, shim);
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "no processes of " + task.bundle(), e);
      return isUnknown(task, shim);
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "processes of " + task.bundle(), e);
      return false;
    }
  }

  /** Whether the shim says so; while it says nothing, the task is taken for known. */
  private boolean isUnknown(Task task, Shim shim) throws InterruptedException {
    try {
      return state(task, shim).isEmpty();
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "state of " + task.bundle(), e);
      return false;
    }
  }

  private Optional<StateResponse> state(Task task, Shim shim) throws InterruptedException {
    try {
      return Optional.of(
          shim.call(
              task.namespace(),
              "State",
              StateRequest.newBuilder().setId(task.id()).build(),
              StateResponse.parser(),
              Optional.of(timeouts.taskState())));
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "shim knows no task of " + task.bundle(), e);
      return Optional.empty();
    }
  }

  private void lookForExit(Task task, Shim shim) throws InterruptedException {
    try {
      Optional<StateResponse> state = state(task, shim);
      if (state.isPresent()) {
        task.pid(state.get().getPid());
        if (state.get().getStatus() == Status.STOPPED
            && task.launcher().orElseThrow().forgetsEvents()) {
          exits.foundStopped(
              task,
              new Exit(
                  state.get().getPid(),
                  state.get().getExitStatus(),
                  Times.toCore(state.get().getExitedAt())));
        }
      }
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "state of " + task.bundle(), e);
    }
  }
}

package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Empty;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.Limits;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimLauncher;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.wire.Times;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How tasks end: deleted in order, lost with their shim, or undone while being created. Whoever
 * ends a task claims it first, so each is cleared once and told once; the name is given back last.
 */
final class TaskEnd {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final Duration STEP = Duration.ofMillis(20);
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final int SIGKILL = 9;
  private static final int UNKNOWN_EXIT = 255;

  private final TaskTable tasks;
  private final Bundles bundles;
  private final TaskMounts mounts;
  private final Processes processes;
  private final TaskEvents events;
  private final Timeouts timeouts;

  /** Connections that have a listener; those that many tasks share have one for all. */
  private final Set<Shim> watched = ConcurrentHashMap.newKeySet();

  TaskEnd(
      TaskTable tasks,
      Bundles bundles,
      TaskMounts mounts,
      Processes processes,
      TaskEvents events,
      Timeouts timeouts) {
    this.tasks = tasks;
    this.bundles = bundles;
    this.mounts = mounts;
    this.processes = processes;
    this.events = events;
    this.timeouts = timeouts;
  }

  /**
   * Deletes a task that has ended or was never started.
   *
   * @param operation is told what is done
   */
  Exit delete(Task task, RunningOperation operation) throws InterruptedException {
    Shim shim = task.shim().orElseThrow();
    try {
      return delete(task, shim, operation);
    } catch (UnavailableException e) {
      if (!Shim.isLost(e) || afterLoss(task, shim, e).isPresent()) {
        throw e;
      }
      return delete(task, task.shim().orElseThrow(), operation);
    }
  }

  /**
   * Waits until it is known what the loss of a connection means.
   *
   * @return the exit made up for a dead shim's task; empty when a successor has the task
   * @throws UnavailableException the loss itself, if neither is known in time
   */
  Optional<Exit> afterLoss(Task task, Shim lost, UnavailableException failure)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeouts.shimStart().toNanos();
    while (deadline - System.nanoTime() > 0) {
      if (task.shim().filter(s -> s != lost).isPresent()) {
        return Optional.empty();
      }
      Optional<Optional<Exit>> cleared = task.awaitCleared(STEP);
      if (cleared.isPresent()) {
        if (cleared.get().isPresent()) {
          return cleared.get();
        }
        throw failure;
      }
    }
    throw failure;
  }

  private Exit delete(Task task, Shim shim, RunningOperation operation)
      throws InterruptedException {
    ContainerdException failure = null;
    Exit exit = new Exit(0, 0, Instant.now());
    task.deletionAsks();
    operation.stage("delete", "the answer of shim " + shim.address().address() + " to Delete");
    try {
      DeleteResponse response =
          shim.call(
              task.namespace(),
              "Delete",
              DeleteRequest.newBuilder().setId(task.id()).build(),
              DeleteResponse.parser(),
              Optional.of(Limits.atMost(timeouts.operation())));
      exit = exit(response);
    } catch (NotFoundException e) {
      failure = e;
    } finally {
      task.deletionAnswered();
    }
    if (failure != null) {
      letAnotherEnd(task);
    }
    operation.stage("clear", "the shim and the file system of " + task.bundle().path());
    if (!task.claim(Task.Stage.LIVE)) {
      // another one clears up: whose call got the exit has it all the same
      task.awaitCleared(timeouts.shimCleanup().multipliedBy(2));
      if (failure != null) {
        throw failure;
      }
      return exit;
    }
    ContainerdException cleanup =
        detached(
            task,
            PATIENCE,
            () -> clear(task, shim, () -> operation.stage("mounts", "the mount manager")));
    if (failure != null) {
      throw failure;
    }
    if (cleanup != null) {
      throw cleanup;
    }
    return exit;
  }

  /** A deletion that found nothing leaves the end to one that the shim may still give the exit. */
  private void letAnotherEnd(Task task) throws InterruptedException {
    long deadline = System.nanoTime() + Limits.atMost(timeouts.operation()).toNanos();
    while (task.isDeletionAsking() && deadline - System.nanoTime() > 0) {
      if (task.awaitCleared(STEP).isPresent()) {
        return;
      }
    }
  }

  static Exit exit(DeleteResponse response) {
    return new Exit(
        response.getPid(),
        response.getExitStatus(),
        response.hasExitedAt() ? Times.toCore(response.getExitedAt()) : Instant.now());
  }

  /**
   * Removes what is left of a task that has ended.
   *
   * @param mountsNext told when only its mounts are left to be given up
   */
  private void clear(Task task, Shim shim, Runnable mountsNext) throws InterruptedException {
    try {
      letGo(task, shim);
    } finally {
      try {
        bundles.delete(task.bundle());
      } finally {
        mountsNext.run();
        giveBack(task, Optional.empty(), true);
      }
    }
  }

  /** Last, for what is active under the name is another task's from then on. */
  private void giveBack(Task task, Optional<Exit> exit, boolean deactivates) {
    try {
      if (deactivates) {
        mounts.deactivate(task);
      }
    } finally {
      tasks.remove(task, exit);
    }
  }

  private void letGo(Task task, Shim shim) throws InterruptedException {
    if (task.hasJoined()) {
      shim.close();
    } else {
      task.launcher().orElseThrow().release(shim, task.bundle(), timeouts.shimShutdown());
    }
  }

  /** Called when a connection was lost; a task that ends otherwise is left alone. */
  void lost(Task task, Shim shim) {
    if (!task.isLive() || task.shim().filter(s -> s == shim).isEmpty()) {
      return;
    }
    ShimLauncher launcher = task.launcher().orElseThrow();
    try {
      Optional<Shim> successor = successor(task);
      if (successor.isPresent()) {
        task.attach(launcher, successor.get());
        watch(task, successor.get());
        LOG.log(Level.INFO, "task {0}/{1} has a new shim", task.namespace(), task.id());
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    if (!task.claim(Task.Stage.LIVE)) {
      return;
    }
    LOG.log(
        Level.WARNING, "shim of task {0}/{1} is dead, cleaning up", task.namespace(), task.id());
    Exit exit = new Exit(task.pid(), UNKNOWN_EXIT, Instant.now());
    try {
      Exit reaped = launcher.reap(task.bundle(), task.runtime(), timeouts.shimCleanup());
      exit =
          new Exit(
              reaped.pid() == 0 ? task.pid() : reaped.pid(), reaped.status(), reaped.exitedAt());
    } catch (ContainerdException e) {
      LOG.log(Level.ERROR, "clean-up after the shim of " + task.bundle(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    kill(task);
    try {
      bundles.delete(task.bundle());
    } catch (ContainerdException e) {
      LOG.log(Level.ERROR, "clean-up after the shim of " + task.bundle(), e);
    }
    try {
      events.exited(task.namespace(), task.id(), exit);
      events.deleted(task.namespace(), task.id(), exit);
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "events of " + task.bundle(), e);
    } finally {
      giveBack(task, Optional.of(exit), true);
    }
  }

  /** Has {@link #lost} called when the connection ends, or at once if it has already. */
  void watch(Task task, Shim shim) {
    if (watched.add(shim)) {
      shim.onLost(
          () -> {
            watched.remove(shim);
            tasks.all().forEach(t -> begin(t, shim));
          });
    }
    if (shim.isLost()) {
      begin(task, shim);
    }
  }

  /** Each on a thread of its own: one that is hard to clear up does not hold up the others. */
  private void begin(Task task, Shim shim) {
    if (task.shim().filter(s -> s == shim).isPresent()) {
      Thread.ofVirtual().name("loss of " + task.bundle()).start(() -> lost(task, shim));
    }
  }

  /** The process that a shim of its own left, when even its clean-up could not stop it. */
  private void kill(Task task) {
    Task.ShimProcess process = task.shimProcess();
    if (process.pid() > 0 && process.startTime().isPresent() && !keepsOthers(task)) {
      try {
        if (processes.startTime(process.pid()).equals(process.startTime())) {
          processes.signal(process.pid(), SIGKILL);
        }
      } catch (IOException e) {
        LOG.log(Level.WARNING, "kill of the shim of " + task.bundle(), e);
      }
    }
  }

  private boolean keepsOthers(Task task) {
    return task.shim().filter(Shim::isShared).isPresent()
        || tasks.all().stream()
            .anyMatch(
                other -> other != task && other.shimProcess().pid() == task.shimProcess().pid());
  }

  private static Optional<Shim> successor(Task task) throws InterruptedException {
    try {
      return task.launcher().orElseThrow().successor(task.bundle());
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "no successor for the shim of " + task.bundle(), e);
      return Optional.empty();
    }
  }

  /** Notes which process keeps the task, to be killed after it unless it keeps a sandbox. */
  void knowProcess(Task task, int pid) {
    if (task.hasJoined()) {
      return;
    }
    try {
      if (pid > 0) {
        var process = new Task.ShimProcess(pid, processes.startTime(pid));
        task.shimProcess(process);
        if (task.shim().filter(s -> !s.isShared()).isPresent() && process.startTime().isPresent()) {
          bundles.write(task.bundle(), Bundle.SHIM_PROCESS, process.toText().getBytes(UTF_8), 0600);
        }
      }
    } catch (IOException | ContainerdException e) { // it only helps to clean up after a dead one
      LOG.log(Level.WARNING, "process of the shim of " + task.bundle(), e);
    }
  }

  /**
   * Undoes what the creation of a task has done. Runs on a thread of its own that the creator's
   * cancel does not reach; what fails is added to the failure that the creator reports.
   */
  void undo(Task task, boolean bundleMade, Throwable failure) {
    if (!task.claim(Task.Stage.CREATING)) {
      throw new IllegalStateException("task " + task.id() + " is not being created");
    }
    // a caller whose time is over gets its answer now
    boolean late = failure instanceof InterruptedException || Limits.isOver();
    ContainerdException second =
        detached(task, late ? Duration.ZERO : PATIENCE, () -> undo(task, bundleMade));
    if (second != null) {
      failure.addSuppressed(second);
    }
  }

  /** Removes a created task that nobody wants; one that somebody ends already is left alone. */
  void unwanted(Task task) throws InterruptedException {
    if (task.claim(Task.Stage.LIVE)) {
      undo(task, true);
    }
  }

  private void undo(Task task, boolean bundleMade) throws InterruptedException {
    try {
      if (task.shim().isPresent()) {
        undoShim(task, task.shim().get());
      }
    } finally {
      try {
        if (bundleMade) {
          bundles.delete(task.bundle());
        }
      } finally {
        giveBack(task, Optional.empty(), task.hasActivated());
      }
    }
  }

  private void undoShim(Task task, Shim shim) throws InterruptedException {
    ShimLauncher launcher = task.launcher().orElseThrow();
    Duration patience = keepsOthers(task) ? timeouts.operation() : timeouts.shimCleanup();
    if (task.awaitCreation(patience) && deleted(task, shim)) {
      letGo(task, shim);
      return;
    }
    Optional<Shim> successor = shim.isLost() ? successor(task) : Optional.empty();
    if (successor.isPresent() && deleted(task, successor.get())) {
      letGo(task, successor.get());
      return;
    }
    try {
      // it runs already, or the shim does not answer: the hard way
      launcher.reap(task.bundle(), task.runtime(), timeouts.shimCleanup());
    } finally {
      letGo(task, shim);
      kill(task);
    }
  }

  /** Whether the shim says that it has nothing of the task, or not any more. */
  private boolean deleted(Task task, Shim shim) throws InterruptedException {
    try {
      shim.call(
          task.namespace(),
          "Delete",
          DeleteRequest.newBuilder().setId(task.id()).build(),
          DeleteResponse.parser(),
          Optional.of(timeouts.shimCleanup()));
      return true;
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "nothing was created, or it was undone: " + task.bundle(), e);
      return true;
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "undoing " + task.bundle(), e);
      return false;
    }
  }

  /** A shim found dead or deaf at start: removes what it left, and itself. */
  void dead(Task task, ShimLauncher launcher) throws InterruptedException {
    bundles
        .readText(task.bundle(), Bundle.SHIM_PROCESS)
        .map(Task.ShimProcess::parse)
        .ifPresent(task::shimProcess);
    try {
      launcher.reap(task.bundle(), task.runtime(), timeouts.shimCleanup());
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "clean-up of " + task.bundle(), e);
    }
    try {
      if (!isNamedByOthers(task)) {
        kill(task);
      }
      bundles.delete(task.bundle());
    } finally {
      giveBack(task, Optional.empty(), true);
    }
  }

  /** Whether the bundle of another task, loaded yet or not, names the same shim's process. */
  private boolean isNamedByOthers(Task task) {
    String mine = task.shimProcess().toText();
    return bundles.list().stream()
        .filter(b -> !b.equals(task.bundle()))
        .anyMatch(b -> bundles.readText(b, Bundle.SHIM_PROCESS).filter(mine::equals).isPresent());
  }

  /** A shim found at start that keeps nothing. */
  void leaked(Task task, Shim shim) throws InterruptedException {
    if (task.claim(Task.Stage.CREATING)) {
      try {
        shim.call(
            task.namespace(),
            "Delete",
            DeleteRequest.newBuilder().setId(task.id()).build(),
            Empty.parser(),
            Optional.of(timeouts.shimCleanup()));
      } catch (ContainerdException e) {
        LOG.log(Level.DEBUG, "leaked shim of " + task.bundle(), e);
      }
      clear(task, shim, () -> {});
    }
  }

  private interface Step {
    void run() throws InterruptedException;
  }

  /** Runs on a thread of its own, and waits for it so long, unless the caller is interrupted. */
  private static @org.jspecify.annotations.Nullable ContainerdException detached(
      Task task, Duration patience, Step step) {
    var failed =
        new java.util.concurrent.atomic.AtomicReference<
            @org.jspecify.annotations.Nullable ContainerdException>();
    Thread worker =
        Thread.ofVirtual()
            .name("end of " + task.bundle())
            .start(
                () -> {
                  try {
                    step.run();
                  } catch (ContainerdException e) {
                    LOG.log(Level.WARNING, "end of " + task.bundle(), e);
                    failed.set(e);
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  } catch (RuntimeException e) {
                    LOG.log(Level.ERROR, "end of " + task.bundle(), e);
                    failed.set(new UnavailableException(task.bundle() + ": " + e, e));
                  }
                });
    try {
      if (patience.isPositive()) {
        worker.join(patience);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return failed.get();
  }
}

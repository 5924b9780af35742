package io.jcontainerd.runtime.restart;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.oci.runtime.Spec;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Ends tasks and runs containers again, in the namespace of the current call. */
final class Restarts {
  private static final Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int SIGKILL = 9;

  private final ContainerStore containers;
  private final Map<String, Snapshotter> snapshotters;
  private final TaskRuntime tasks;

  Restarts(ContainerStore containers, Map<String, Snapshotter> snapshotters, TaskRuntime tasks) {
    this.containers = containers;
    this.snapshotters = Map.copyOf(snapshotters);
    this.tasks = tasks;
  }

  /** Kills all processes of the task and removes it. */
  void stop(String id) throws InterruptedException {
    try {
      tasks.kill(id, "", SIGKILL, true);
      var _ = tasks.waitFor(id, "");
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "task " + id + " has ended already", e);
    }
    try {
      var _ = tasks.delete(id);
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "task " + id + " is gone already", e);
    }
  }

  /**
   * Replaces what is left of the container's task by a new one. Counted first, so that one who is
   * killed here at each try ends all the same.
   */
  void restart(Container container, Wish wish) throws InterruptedException {
    String id = container.id();
    count(container, wish.count() + 1);
    stop(id);
    var _ =
        tasks.create(
            new CreateTask(
                container,
                mounts(container),
                stdio(container, wish),
                Optional.empty(),
                "",
                "",
                "",
                0));
    try {
      var _ = tasks.start(id, "");
    } catch (ContainerdException | InterruptedException e) {
      removeQuietly(id, e);
      throw e;
    }
  }

  /** A task that cannot be started would be left alone as one that somebody is about to start. */
  private void removeQuietly(String id, Exception failure) {
    boolean interrupted = Thread.interrupted();
    try {
      stop(id);
    } catch (ContainerdException e) {
      failure.addSuppressed(e);
    } catch (InterruptedException e) {
      failure.addSuppressed(e);
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void count(Container container, int count) {
    var counted =
        new Container(
            container.id(),
            Map.of(Wish.COUNT, Integer.toString(count)),
            container.image(),
            container.runtime(),
            container.spec(),
            container.snapshotter(),
            container.snapshotKey(),
            container.extensions(),
            container.sandbox(),
            container.createdAt(),
            container.updatedAt());
    var _ = containers.update(counted, new FieldMask(List.of("labels." + Wish.COUNT)));
  }

  private List<Mount> mounts(Container container) {
    if (container.snapshotKey().isEmpty()) {
      return List.of();
    }
    Snapshotter snapshotter = snapshotters.get(container.snapshotter());
    if (snapshotter == null) {
      throw new FailedPreconditionException(
          "container " + container.id() + ": no snapshotter " + container.snapshotter());
    }
    return snapshotter.mounts(container.snapshotKey());
  }

  private static Stdio stdio(Container container, Wish wish) {
    boolean terminal =
        container.spec().map(TypedValue::value).map(Spec::parse).filter(Spec::terminal).isPresent();
    return new Stdio("", wish.logUri(), terminal ? "" : wish.logUri(), terminal);
  }
}

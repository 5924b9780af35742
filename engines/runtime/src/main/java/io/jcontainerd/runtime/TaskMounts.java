package io.jcontainerd.runtime;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.mount.ActivationOptions;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.tasks.CreateTask;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a task's root needs of the mount manager: activated under the task's id once the task has
 * its name, and given up before the name is given back, so that it is never that of another task of
 * the same name. Should the daemon die in between, the garbage collector finds it once the
 * container is gone.
 */
final class TaskMounts {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final String CONTAINER = "containerd.io/gc.bref.container";

  /** Types that never need the manager, so that most tasks are created without asking it. */
  private static final Set<String> PLAIN = Set.of("bind", "overlay", "tmpfs");

  private final Optional<MountManager> manager;

  TaskMounts(Optional<MountManager> manager) {
    this.manager = manager;
  }

  /** Tells which types of mounts a runtime does by itself. */
  @FunctionalInterface
  interface Allowed {
    Set<String> types() throws InterruptedException;
  }

  /**
   * A request as the runtime gets it.
   *
   * @param mine whether something was activated for it
   */
  record Ready(CreateTask request, boolean mine) {}

  /** Activates what the request's root needs; what is active under its id already is taken. */
  Ready activate(CreateTask request, Allowed allowed) throws InterruptedException {
    if (manager.isEmpty()
        || request.rootfs().stream().allMatch(mount -> PLAIN.contains(mount.type()))) {
      return new Ready(request, false);
    }
    String id = request.container().id();
    var options = new ActivationOptions(Map.of(CONTAINER, id), false, allowed.types());
    // Nothing of a task belongs to the lease of the call that creates it.
    return Call.current()
        .withoutLease()
        .call(
            () -> {
              try {
                var activation = manager.get().activate(id, request.rootfs(), options);
                return new Ready(with(request, activation.system()), true);
              } catch (NotImplementedException e) {
                LOG.log(Level.DEBUG, "the root of task " + id + " needs no mount manager", e);
                return new Ready(request, false);
              } catch (AlreadyExistsException _) {
                return new Ready(with(request, manager.get().info(id).system()), false);
              }
            });
  }

  private static CreateTask with(CreateTask request, List<Mount> rootfs) {
    return new CreateTask(
        request.container(),
        rootfs,
        request.stdio(),
        request.options(),
        request.checkpoint(),
        request.runtimePath(),
        request.taskApiAddress(),
        request.taskApiVersion());
  }

  /** Gives up what is active for a task that is gone. */
  void deactivate(Task task) {
    if (manager.isEmpty()) {
      return;
    }
    Call.in(task.namespace())
        .run(
            () -> {
              try {
                manager.get().deactivate(task.id());
              } catch (NotFoundException _) {
                // most tasks need nothing
              } catch (ContainerdException e) {
                LOG.log(
                    Level.WARNING,
                    "mounts of task " + task.id() + " are left to the garbage collector",
                    e);
              }
            });
  }
}

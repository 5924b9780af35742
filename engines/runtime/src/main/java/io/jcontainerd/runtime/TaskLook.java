package io.jcontainerd.runtime;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.operation.Glance;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.linux.process.Helpers;
import io.jcontainerd.runtime.shim.Shim;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;

/**
 * Looks closely at what a task's shim does: it is asked for its stage, if it is one that tells, and
 * its commands are looked for among the machine's processes.
 */
final class TaskLook {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  private TaskLook() {}

  /** The operation as the shim has it. */
  static Operation at(Operation operation, Task task, Glance glance) {
    Optional<Shim> shim = task.shim();
    Operation seen = shim.isPresent() ? inside(operation, task, shim.get()) : operation;
    int keeper = task.shimProcess().pid();
    if (keeper == 0) {
      return seen;
    }
    try {
      Helpers machine = glance.once(Helpers.class, TaskLook::processes);
      return seen.with(machine.of(keeper, List.of(task.bundle().path().toString(), task.id())));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return seen;
    }
  }

  private static Helpers processes() {
    try {
      return Helpers.now();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "the machine's processes", e);
      return Helpers.none();
    }
  }

  private static Operation inside(Operation operation, Task task, Shim shim) {
    try {
      return shim.operations(task.namespace(), operation.kind(), operation.key()).stream()
          .findFirst()
          .map(inner -> operation.within(inner.stage(), inner.waitsFor(), inner.stageSince()))
          .orElse(operation);
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "stage of " + operation.id() + " in its shim", e);
      return operation;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return operation;
    }
  }
}

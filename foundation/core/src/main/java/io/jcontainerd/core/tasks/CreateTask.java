package io.jcontainerd.core.tasks;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.mount.Mount;
import java.util.List;
import java.util.Optional;

/**
 * What is needed to create a task.
 *
 * @param container the record it is made from
 * @param rootfs mounted in order as its root; empty if the spec's root path is used as it is
 * @param stdio the init process's streams
 * @param options for the shim; they come before the container's own
 * @param checkpoint an existing folder to restore from, which becomes part of the task; empty for
 *     none
 * @param runtimePath a shim binary to use whatever the container says; may be empty
 * @param taskApiAddress a shim that runs already; may be empty
 * @param taskApiVersion the version it speaks; 0 if there is no address
 */
public record CreateTask(
    Container container,
    List<Mount> rootfs,
    Stdio stdio,
    Optional<TypedValue> options,
    String checkpoint,
    String runtimePath,
    String taskApiAddress,
    int taskApiVersion) {

  /** Copies the mounts. */
  public CreateTask {
    rootfs = List.copyOf(rootfs);
  }
}

package io.jcontainerd.core.tasks;

import io.jcontainerd.core.TypedValue;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tasks: the running side of containers, by container id in the namespace of the current {@link
 * io.jcontainerd.core.Call}.
 *
 * <p>A task has an init process and any number of further ones, named by exec ids. Tasks outlive
 * the daemon. Every method may block, for no longer than the call's deadline or the configured time
 * for the operation; {@link #waitFor} waits as long as the process lives. Interruption ends the
 * wait, not the process. Safe for many threads.
 *
 * <p>Wherever an exec id is asked for, the empty one means the init process. Every method throws
 * {@link io.jcontainerd.core.failure.NotFoundException} for an unknown task or process, {@link
 * io.jcontainerd.core.failure.UnavailableException} if the shim cannot be reached, and passes on
 * what the shim or the OCI runtime says.
 */
public interface TaskRuntime {
  /**
   * Creates a task; its init process exists but does not run yet.
   *
   * @return the init process's id; 0 for a task from a checkpoint, whose start brings it back
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the container has a task
   */
  int create(CreateTask request) throws InterruptedException;

  /** Starts the init process or an added one, and returns its process id. */
  int start(String containerId, String execId) throws InterruptedException;

  /** Removes a task that is stopped or was never started. */
  Exit delete(String containerId) throws InterruptedException;

  /** Removes a further process that is stopped or was never started. */
  Exit deleteProcess(String containerId, String execId) throws InterruptedException;

  /** The process as it is now. */
  TaskProcess get(String containerId, String execId) throws InterruptedException;

  /** The init processes of the namespace's tasks; those whose shim does not answer are left out. */
  List<TaskProcess> list() throws InterruptedException;

  /**
   * Sends a signal.
   *
   * @param all to every process of the container
   * @throws io.jcontainerd.core.failure.NotFoundException if the process has ended
   */
  void kill(String containerId, String execId, int signal, boolean all) throws InterruptedException;

  /**
   * Adds a process, which does not run before it is started.
   *
   * @param spec an OCI {@code process} document
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the id is taken
   */
  void exec(String containerId, String execId, Stdio stdio, TypedValue spec)
      throws InterruptedException;

  /** Tells a terminal its size, in characters. */
  void resizePty(String containerId, String execId, int width, int height)
      throws InterruptedException;

  /** Ends the process's input. */
  void closeStdin(String containerId, String execId) throws InterruptedException;

  /** Freezes all processes. */
  void pause(String containerId) throws InterruptedException;

  /** Thaws them. */
  void resume(String containerId) throws InterruptedException;

  /**
   * A process id on the host.
   *
   * @param pid on the host
   * @param info {@code containerd.runc.v1.ProcessDetails} for a process with an exec id
   */
  record Pid(int pid, Optional<TypedValue> info) {}

  /** All processes of the container. */
  List<Pid> pids(String containerId) throws InterruptedException;

  /**
   * Writes the state of all processes to a folder.
   *
   * @param path an existing folder
   * @param options for the shim
   */
  void checkpoint(String containerId, String path, Optional<TypedValue> options)
      throws InterruptedException;

  /**
   * Changes limits while the task runs.
   *
   * @param resources an OCI {@code linux.resources} document
   */
  void update(String containerId, TypedValue resources, Map<String, String> annotations)
      throws InterruptedException;

  /**
   * Numbers of one task.
   *
   * @param containerId the task
   * @param timestamp when they were read
   * @param data the cgroup's metrics message
   */
  record Metrics(String containerId, Instant timestamp, TypedValue data) {}

  /** The task's numbers. */
  Metrics metrics(String containerId) throws InterruptedException;

  /** Waits for the process's end; returns at once if it has ended and was not deleted. */
  Exit waitFor(String containerId, String execId) throws InterruptedException;

  /**
   * What a runtime tells about itself ({@code containerd.types.RuntimeInfo}).
   *
   * @param request {@code containerd.types.RuntimeRequest}, or empty for the default runtime
   */
  TypedValue runtimeInfo(Optional<TypedValue> request) throws InterruptedException;
}

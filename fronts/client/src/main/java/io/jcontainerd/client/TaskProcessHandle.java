package io.jcontainerd.client;

import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskProcess;
import java.util.Optional;

/**
 * One process of a task: the first one, or a further one that was added. Several threads may use
 * it.
 */
public sealed class TaskProcessHandle permits Task {
  private final RemoteTaskRuntime tasks;
  private final String containerId;
  private final String execId;
  private volatile Optional<ProcessIo> io = Optional.empty();

  TaskProcessHandle(RemoteTaskRuntime tasks, String containerId, String execId) {
    this.tasks = tasks;
    this.containerId = containerId;
    this.execId = execId;
  }

  RemoteTaskRuntime runtime() {
    return tasks;
  }

  void attach(ProcessIo streams) {
    io = Optional.of(streams);
  }

  /** The container. */
  public String containerId() {
    return containerId;
  }

  /** The process's own id; empty for the first process. */
  public String execId() {
    return execId;
  }

  /** Lets it run, and returns its process id. */
  public int start() throws InterruptedException {
    int pid = tasks.start(containerId, execId);
    io.ifPresent(ProcessIo::started);
    return pid;
  }

  /** How it is now. */
  public TaskProcess status() throws InterruptedException {
    return tasks.get(containerId, execId);
  }

  /** Waits for its end, as long as it lives. */
  public Exit waitFor() throws InterruptedException {
    return tasks.waitFor(containerId, execId);
  }

  /**
   * Sends it a signal.
   *
   * @throws NotFoundException if it has ended
   */
  public void kill(int signal) throws InterruptedException {
    tasks.kill(containerId, execId, signal, false);
  }

  /** Tells its terminal the size, in characters. */
  public void resize(int width, int height) throws InterruptedException {
    tasks.resizePty(containerId, execId, width, height);
  }

  /** Ends its input. */
  public void closeStdin() throws InterruptedException {
    tasks.closeStdin(containerId, execId);
  }

  /** Forgets it; it must have ended, or never have run. */
  public Exit delete() throws InterruptedException {
    return execId.isEmpty() ? tasks.delete(containerId) : tasks.deleteProcess(containerId, execId);
  }
}

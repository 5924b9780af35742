package io.jcontainerd.wire;

import io.jcontainerd.api.services.tasks.v1.DeleteResponse;
import io.jcontainerd.api.types.Metric;
import io.jcontainerd.api.types.task.Process;
import io.jcontainerd.api.types.task.ProcessInfo;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;

/** Tasks, their processes and the messages. Numbers are unsigned on the wire. */
public final class Tasks {
  private Tasks() {}

  /** A process as a message; the id is the container's for init. */
  public static Process toApi(TaskProcess process) {
    return Process.newBuilder()
        .setContainerId(process.containerId())
        .setId(process.execId().isEmpty() ? process.containerId() : process.execId())
        .setPid(process.pid())
        .setStatus(toApi(process.status()))
        .setStdin(process.stdio().stdin())
        .setStdout(process.stdio().stdout())
        .setStderr(process.stdio().stderr())
        .setTerminal(process.stdio().terminal())
        .setExitStatus(process.exitStatus())
        .setExitedAt(Times.toApi(process.exitedAt()))
        .build();
  }

  /**
   * A message as a process.
   *
   * @param containerId of the task, which some daemons leave out of the message
   */
  public static TaskProcess toCore(String containerId, Process message) {
    return new TaskProcess(
        containerId,
        message.getId().equals(containerId) ? "" : message.getId(),
        message.getPid(),
        toCore(message.getStatus()),
        new Stdio(
            message.getStdin(), message.getStdout(), message.getStderr(), message.getTerminal()),
        message.getExitStatus(),
        Times.toCore(message.hasExitedAt(), message.getExitedAt()));
  }

  /** A status as an enum constant. */
  public static Status toApi(TaskStatus status) {
    return switch (status) {
      case UNKNOWN -> Status.UNKNOWN;
      case CREATED -> Status.CREATED;
      case RUNNING -> Status.RUNNING;
      case STOPPED -> Status.STOPPED;
      case PAUSED -> Status.PAUSED;
      case PAUSING -> Status.PAUSING;
    };
  }

  /** An enum constant as a status; a number we do not know is unknown. */
  public static TaskStatus toCore(Status status) {
    return switch (status) {
      case CREATED -> TaskStatus.CREATED;
      case RUNNING -> TaskStatus.RUNNING;
      case STOPPED -> TaskStatus.STOPPED;
      case PAUSED -> TaskStatus.PAUSED;
      case PAUSING -> TaskStatus.PAUSING;
      case UNKNOWN, UNRECOGNIZED -> TaskStatus.UNKNOWN;
    };
  }

  /**
   * How a process ended, as a message.
   *
   * @param id of an exec; empty for init
   */
  public static DeleteResponse toApi(String id, Exit exit) {
    return DeleteResponse.newBuilder()
        .setId(id)
        .setPid(exit.pid())
        .setExitStatus(exit.status())
        .setExitedAt(Times.toApi(exit.exitedAt()))
        .build();
  }

  /** A message as how a process ended. */
  public static Exit toCore(DeleteResponse message) {
    return new Exit(message.getPid(), message.getExitStatus(), Times.toCore(message.getExitedAt()));
  }

  /** A process id with its details, as a message. */
  public static ProcessInfo toApi(TaskRuntime.Pid pid) {
    var message = ProcessInfo.newBuilder().setPid(pid.pid());
    pid.info().map(TypedValues::toApi).ifPresent(message::setInfo);
    return message.build();
  }

  /** A message as a process id with its details. */
  public static TaskRuntime.Pid toCore(ProcessInfo message) {
    return new TaskRuntime.Pid(
        message.getPid(), TypedValues.toCore(message.hasInfo(), message.getInfo()));
  }

  /** A task's numbers, as a message. */
  public static Metric toApi(TaskRuntime.Metrics metrics) {
    return Metric.newBuilder()
        .setId(metrics.containerId())
        .setTimestamp(Times.toApi(metrics.timestamp()))
        .setData(TypedValues.toApi(metrics.data()))
        .build();
  }

  /** A message as a task's numbers. */
  public static TaskRuntime.Metrics toCore(Metric message) {
    return new TaskRuntime.Metrics(
        message.getId(),
        Times.toCore(message.getTimestamp()),
        TypedValues.toCore(message.getData()));
  }
}

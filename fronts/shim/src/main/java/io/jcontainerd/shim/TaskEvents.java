package io.jcontainerd.shim;

import com.google.protobuf.Message;
import io.jcontainerd.api.events.TaskCreate;
import io.jcontainerd.api.events.TaskDelete;
import io.jcontainerd.api.events.TaskExecAdded;
import io.jcontainerd.api.events.TaskExecStarted;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.api.events.TaskIO;
import io.jcontainerd.api.events.TaskOOM;
import io.jcontainerd.api.events.TaskPaused;
import io.jcontainerd.api.events.TaskResumed;
import io.jcontainerd.api.events.TaskStart;
import io.jcontainerd.api.types.Mount;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.linux.process.ExitStatus;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/**
 * What is told to the daemon about containers, in containerd's topics and messages; nothing of one
 * that it has given up.
 */
final class TaskEvents {
  private final EventPublisher publisher;

  TaskEvents(EventPublisher publisher) {
    this.publisher = publisher;
  }

  void created(Container container, List<Mount> rootfs, String checkpoint) throws IOException {
    Stdio stdio = container.init().stdio();
    tell(
        container,
        "/tasks/create",
        TaskCreate.newBuilder()
            .setContainerId(container.id())
            .setBundle(container.bundle().toString())
            .addAllRootfs(rootfs)
            .setIo(
                TaskIO.newBuilder()
                    .setStdin(stdio.stdin())
                    .setStdout(stdio.stdout())
                    .setStderr(stdio.stderr())
                    .setTerminal(stdio.terminal()))
            .setCheckpoint(checkpoint)
            .setPid(container.init().pid())
            .build());
  }

  void started(Container container, ContainerProcess process) throws IOException {
    if (process.isInit()) {
      tell(
          container,
          "/tasks/start",
          TaskStart.newBuilder().setContainerId(container.id()).setPid(process.pid()).build());
    } else {
      tell(
          container,
          "/tasks/exec-started",
          TaskExecStarted.newBuilder()
              .setContainerId(container.id())
              .setExecId(process.execId())
              .setPid(process.pid())
              .build());
    }
  }

  void execAdded(Container container, String execId) throws IOException {
    tell(
        container,
        "/tasks/exec-added",
        TaskExecAdded.newBuilder().setContainerId(container.id()).setExecId(execId).build());
  }

  /** Whether the event is kept though this process should die; else it is in memory only. */
  boolean exited(Container container, ContainerProcess process, ExitStatus exit)
      throws IOException {
    return send(
        container,
        "/tasks/exit",
        TaskExit.newBuilder()
            .setContainerId(container.id())
            .setId(process.isInit() ? container.id() : process.execId())
            .setPid(process.pid())
            .setExitStatus(exit.code())
            .setExitedAt(EventPublisher.timestamp(exit.at()))
            .build());
  }

  /**
   * @param before told of which event it will be, before it is one
   */
  void deleted(Container container, ExitStatus exit, Consumer<Event.Origin> before)
      throws IOException {
    if (container.givenUp) {
      return;
    }
    var _ =
        publisher.publish(
            container.namespace(),
            "/tasks/delete",
            TaskDelete.newBuilder()
                .setContainerId(container.id())
                .setPid(container.init().pid())
                .setExitStatus(exit.code())
                .setExitedAt(EventPublisher.timestamp(exit.at()))
                .build(),
            before);
  }

  /** Whether the event was told, now or by an earlier host. */
  boolean wasTold(Event.Origin origin) {
    return publisher.wasAdded(origin);
  }

  void paused(Container container) throws IOException {
    tell(
        container, "/tasks/paused", TaskPaused.newBuilder().setContainerId(container.id()).build());
  }

  void resumed(Container container) throws IOException {
    tell(
        container,
        "/tasks/resumed",
        TaskResumed.newBuilder().setContainerId(container.id()).build());
  }

  void outOfMemory(Container container) throws IOException {
    tell(container, "/tasks/oom", TaskOOM.newBuilder().setContainerId(container.id()).build());
  }

  private void tell(Container container, String topic, Message event) throws IOException {
    var _ = send(container, topic, event);
  }

  private boolean send(Container container, String topic, Message event) throws IOException {
    return container.givenUp || publisher.publish(container.namespace(), topic, event);
  }
}

package io.jcontainerd.runtime;

import com.google.protobuf.Message;
import io.jcontainerd.api.events.TaskDelete;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import java.time.Instant;

/** The events that the daemon publishes in place of a shim that no longer can. */
final class TaskEvents {
  static final String EXIT = "/tasks/exit";
  static final String DELETE = "/tasks/delete";

  private final EventExchange exchange;

  TaskEvents(EventExchange exchange) {
    this.exchange = exchange;
  }

  /** The init process has ended. */
  void exited(String namespace, String id, Exit exit) {
    publish(
        namespace,
        EXIT,
        TaskExit.newBuilder()
            .setContainerId(id)
            .setId(id)
            .setPid(exit.pid())
            .setExitStatus(exit.status())
            .setExitedAt(Times.toApi(exit.exitedAt()))
            .build());
  }

  /** The task is gone. */
  void deleted(String namespace, String id, Exit exit) {
    publish(
        namespace,
        DELETE,
        TaskDelete.newBuilder()
            .setContainerId(id)
            .setPid(exit.pid())
            .setExitStatus(exit.status())
            .setExitedAt(Times.toApi(exit.exitedAt()))
            .build());
  }

  private void publish(String namespace, String topic, Message message) {
    exchange.publish(new Event(Instant.now(), namespace, topic, TypedValues.pack(message)));
  }
}

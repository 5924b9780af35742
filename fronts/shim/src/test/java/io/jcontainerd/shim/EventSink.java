package io.jcontainerd.shim;

import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Stands in for the daemon's event service and keeps what it was told, in order. As a daemon of
 * ours does, it knows an event again that is told a second time because its answer was lost.
 */
final class EventSink implements AutoCloseable {
  private final Path socket;
  private final List<Envelope> seen = new ArrayList<>();

  /** The number of the last event of each teller; guarded by what was seen. */
  private final Map<String, Long> last = new HashMap<>();

  private TtrpcServer server;

  EventSink(Path socket) throws IOException {
    this.socket = socket;
    this.server = listen();
  }

  private TtrpcServer listen() throws IOException {
    Files.deleteIfExists(socket);
    TtrpcServer made =
        new TtrpcServer(
            List.of(
                TtrpcService.named("containerd.services.events.ttrpc.v1.Events")
                    .unary(
                        "Forward",
                        ForwardRequest.parser(),
                        (request, context) -> {
                          context
                              .metadata()
                              .first(Event.Origin.METADATA)
                              .map(Event.Origin::parse)
                              .ifPresentOrElse(
                                  origin -> addOnce(origin, request.getEnvelope()),
                                  () -> add(request.getEnvelope()));
                          return Empty.getDefaultInstance();
                        })
                    .build()));
    made.listen(UnixSockets.listen(socket));
    return made;
  }

  private void addOnce(Event.Origin origin, Envelope event) {
    synchronized (seen) {
      if (last.getOrDefault(origin.teller(), 0L) < origin.sequence()) {
        last.put(origin.teller(), origin.sequence());
        add(event);
      }
    }
  }

  private void add(Envelope event) {
    synchronized (seen) {
      seen.add(event);
      seen.notifyAll();
    }
  }

  /** The daemon goes away. */
  void stop() throws IOException {
    server.close();
    Files.deleteIfExists(socket);
  }

  /** The daemon is back. */
  void restart() throws IOException {
    server = listen();
  }

  /** Waits until there are events of the container that satisfy the condition. */
  List<Envelope> await(String container, Predicate<List<Envelope>> condition)
      throws InterruptedException {
    long deadline = System.nanoTime() + 60_000_000_000L;
    synchronized (seen) {
      while (!condition.test(of(container))) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new AssertionError("events of " + container + " so far: " + topics(of(container)));
        }
        seen.wait(left);
      }
      return of(container);
    }
  }

  /** Waits for an event of that topic, and answers the topics so far. */
  List<String> awaitTopic(String container, String topic) throws InterruptedException {
    return topics(await(container, events -> topics(events).contains(topic)));
  }

  private List<Envelope> of(String container) {
    // every task event has the container's id as its field 1
    return seen.stream()
        .filter(event -> event.getEvent().getValue().toStringUtf8().contains(container))
        .toList();
  }

  static List<String> topics(List<Envelope> events) {
    return events.stream().map(event -> event.getTopic().replace("/tasks/", "")).toList();
  }

  static List<TaskExit> exits(List<Envelope> events) {
    return events.stream()
        .filter(event -> event.getTopic().equals("/tasks/exit"))
        .map(
            event -> {
              try {
                return TaskExit.parseFrom(event.getEvent().getValue());
              } catch (InvalidProtocolBufferException e) {
                throw new AssertionError(e);
              }
            })
        .toList();
  }

  @Override
  public void close() {
    server.close();
  }
}

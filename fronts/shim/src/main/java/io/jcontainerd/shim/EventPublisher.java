package io.jcontainerd.shim;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcClient;
import io.jcontainerd.ttrpc.TtrpcException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends events to the daemon, each at least once and in order, with a number by which a daemon of
 * ours knows again what it has recorded already. While the daemon is away, or cannot keep them,
 * they stay in the journal; one that the daemon refuses for its content is logged and left out, so
 * that it cannot keep the others back. Safe for many threads.
 */
final class EventPublisher implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(EventPublisher.class.getName());
  private static final String SERVICE = "containerd.services.events.ttrpc.v1.Events";
  private static final Duration CALL = Duration.ofSeconds(20);
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final Duration END = Duration.ofSeconds(10);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  /**
   * Refusals that every further attempt would meet. Any other may be the daemon's own trouble, with
   * its memory or its store, which passes or is cured.
   */
  private static final Set<StatusCode> LASTING =
      EnumSet.of(
          StatusCode.INVALID_ARGUMENT,
          StatusCode.NOT_FOUND,
          StatusCode.ALREADY_EXISTS,
          StatusCode.FAILED_PRECONDITION,
          StatusCode.OUT_OF_RANGE,
          StatusCode.UNIMPLEMENTED);

  private final EventJournal journal;
  private final Path socket;
  private final Clock clock;
  private final Duration end;
  private final Thread sender;
  private @Nullable TtrpcClient client;

  private EventPublisher(EventJournal journal, Path socket, Clock clock, Duration end) {
    this.journal = journal;
    this.socket = socket;
    this.clock = clock;
    this.end = end;
    this.sender = Thread.ofVirtual().name("events").unstarted(this::send);
  }

  /**
   * Starts sending.
   *
   * @param socket the daemon's ttrpc socket, which need not be there yet
   */
  static EventPublisher start(EventJournal journal, Path socket, Clock clock) {
    return start(journal, socket, clock, END);
  }

  static EventPublisher start(EventJournal journal, Path socket, Clock clock, Duration end) {
    EventPublisher publisher = new EventPublisher(journal, socket, clock, end);
    publisher.sender.start();
    return publisher;
  }

  /**
   * Adds an event.
   *
   * @return whether it is on disk, so that the death of this process cannot lose it any more
   */
  boolean publish(String namespace, String topic, Message event) throws IOException {
    return publish(namespace, topic, event, _ -> {});
  }

  /**
   * Adds an event.
   *
   * @param before told of which one it will be, before it is added
   * @return whether it is on disk, so that the death of this process cannot lose it any more
   */
  boolean publish(String namespace, String topic, Message event, Consumer<Event.Origin> before)
      throws IOException {
    Envelope envelope =
        Envelope.newBuilder()
            .setTimestamp(timestamp(clock.instant()))
            .setNamespace(namespace)
            .setTopic(topic)
            .setEvent(
                Any.newBuilder()
                    .setTypeUrl(event.getDescriptorForType().getFullName())
                    .setValue(event.toByteString()))
            .build();
    return journal.add(
        ForwardRequest.newBuilder().setEnvelope(envelope).build().toByteArray(), before);
  }

  /** Whether the event was added, now or by an earlier host. */
  boolean wasAdded(Event.Origin origin) {
    return journal.wasAdded(origin);
  }

  /** What the thread that sends is doing. */
  Thread.State sending() {
    return sender.getState();
  }

  /** Whether the daemon has everything. */
  boolean isIdle() {
    return journal.isEmpty();
  }

  /** Waits until the daemon has everything; false if that takes too long. */
  boolean flush(Duration limit) throws InterruptedException {
    return journal.awaitEmpty(limit.toMillis());
  }

  static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  private void send() {
    Duration pause = FIRST_PAUSE;
    while (!Thread.currentThread().isInterrupted()) {
      try {
        EventJournal.Message next = journal.next();
        if (deliver(next)) {
          journal.take();
          pause = FIRST_PAUSE;
        } else {
          Thread.sleep(pause);
          pause = pause.multipliedBy(2);
          if (pause.compareTo(LONGEST_PAUSE) > 0) {
            pause = LONGEST_PAUSE;
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (IOException | RuntimeException e) {
        LOG.log(Level.ERROR, "events: cannot send, trying again", e);
        try {
          Thread.sleep(LONGEST_PAUSE);
        } catch (InterruptedException second) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /** Whether the message needs no further attempt. */
  private boolean deliver(EventJournal.Message next) throws InterruptedException, IOException {
    ForwardRequest message = ForwardRequest.parseFrom(next.bytes());
    Metadata metadata = Metadata.namespace(message.getEnvelope().getNamespace());
    if (journal.isNumberKept(next)) {
      metadata =
          metadata.with(
              Event.Origin.METADATA, new Event.Origin(journal.id(), next.number()).toText());
    }
    try {
      TtrpcClient connected = connection();
      connected.call(
          SERVICE, "Forward", message, Empty.parser(), CallOptions.within(CALL).with(metadata));
      return true;
    } catch (TtrpcException e) {
      if (client == null || client.isClosed() || !LASTING.contains(e.code())) {
        LOG.log(Level.WARNING, "events: not taken, trying again: {0}", e.getMessage());
        disconnect();
        return false;
      }
      LOG.log(
          Level.ERROR,
          "event {0} of namespace {1} was refused: {2}",
          message.getEnvelope().getTopic(),
          message.getEnvelope().getNamespace(),
          e.text());
      return true;
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "events: {0}", e.getMessage()); // the daemon is away
      disconnect();
      return false;
    }
  }

  private TtrpcClient connection() throws IOException, InterruptedException {
    TtrpcClient current = client;
    if (current == null || current.isClosed()) {
      current = TtrpcClient.connect(socket, CONNECT);
      client = current;
    }
    return current;
  }

  private void disconnect() {
    if (client != null) {
      client.close();
      client = null;
    }
  }

  /**
   * Sends no more. What is left stays in the journal, for the next host.
   *
   * @throws IOException if what is being sent does not end; the journal is left open then
   */
  @Override
  public void close() throws IOException {
    sender.interrupt();
    if (!ends()) {
      throw new IOException(
          "events: the sender does not end within %d ms; its disk may hang"
              .formatted(end.toMillis()));
    }
    disconnect();
    journal.close();
  }

  /** Calls of the daemon end when they are interrupted, so only the journal can hold it up. */
  private boolean ends() {
    long deadline = System.nanoTime() + end.toNanos();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return sender.join(Duration.ofNanos(Math.max(1, deadline - System.nanoTime())));
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}

package io.jcontainerd.wire;

import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.InvalidArgumentException;

/** Events and their envelope. */
public final class Events {
  private Events() {}

  /** An event in its envelope. */
  public static Envelope toApi(Event event) {
    return Envelope.newBuilder()
        .setTimestamp(Times.toApi(event.timestamp()))
        .setNamespace(event.namespace())
        .setTopic(event.topic())
        .setEvent(TypedValues.toApi(event.payload()))
        .build();
  }

  /**
   * The event of an envelope.
   *
   * @throws InvalidArgumentException if namespace, topic or time are missing or malformed
   */
  public static Event toCore(Envelope envelope) {
    var timestamp =
        Times.toCore(envelope.hasTimestamp(), envelope.getTimestamp())
            .orElseThrow(
                () -> new InvalidArgumentException("timestamp must be set on forwarded event"));
    return new Event(
        timestamp,
        envelope.getNamespace(),
        envelope.getTopic(),
        TypedValues.toCore(envelope.getEvent()));
  }
}

package io.jcontainerd.wire;

import com.google.protobuf.Any;
import io.jcontainerd.api.events.v1.Begun;
import io.jcontainerd.api.events.v1.Gap;
import io.jcontainerd.api.events.v1.Position;
import io.jcontainerd.api.events.v1.SubscribeRequest;
import io.jcontainerd.api.events.v1.SubscribeResponse;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventRecord.From;
import io.jcontainerd.core.events.EventRecord.Told;
import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.List;
import java.util.Optional;

/** The record of events. */
public final class EventRecordMessages {
  private EventRecordMessages() {}

  /** Where to begin. */
  public static From from(SubscribeRequest request) {
    return switch (request.getFromCase()) {
      case AFTER -> after(request.getAfter());
      case OLDEST -> new From.Oldest();
      case NOW, FROM_NOT_SET -> new From.Now();
    };
  }

  private static From after(long number) {
    if (number < 0) {
      throw new InvalidArgumentException(
          "event " + Long.toUnsignedString(number) + ": there is no such number");
    }
    return new From.After(number);
  }

  /** What is asked for. */
  public static SubscribeRequest toApi(From from, List<String> filters, List<String> namespaces) {
    SubscribeRequest.Builder request =
        SubscribeRequest.newBuilder().addAllFilters(filters).addAllNamespaces(namespaces);
    return switch (from) {
      case From.After(long number) -> request.setAfter(number).build();
      case From.Oldest() -> request.setOldest(true).build();
      case From.Now() -> request.setNow(true).build();
    };
  }

  /** What is told. */
  public static SubscribeResponse toApi(Told told) {
    SubscribeResponse.Builder response = SubscribeResponse.newBuilder();
    return switch (told) {
      case Told.Begun(long after) -> response.setBegun(Begun.newBuilder().setAfter(after)).build();
      case Told.Happened(Event.Numbered event) -> response.setEvent(toApi(event)).build();
      case Told.Gap(long first, long last) ->
          response.setGap(Gap.newBuilder().setFirst(first).setLast(last)).build();
      case Told.Position(long after) ->
          response.setPosition(Position.newBuilder().setAfter(after)).build();
    };
  }

  private static io.jcontainerd.api.events.v1.Event toApi(Event.Numbered numbered) {
    Event event = numbered.event();
    Any payload = TypedValues.toApi(event.payload());
    return io.jcontainerd.api.events.v1.Event.newBuilder()
        .setNumber(numbered.number())
        .setTimestamp(Times.toApi(event.timestamp()))
        .setNamespace(event.namespace())
        .setTopic(event.topic())
        .setEvent(payload)
        .build();
  }

  /** What is told; empty for what this release does not know. */
  public static Optional<Told> toCore(SubscribeResponse response) {
    return switch (response.getMessageCase()) {
      case BEGUN -> Optional.of(new Told.Begun(response.getBegun().getAfter()));
      case EVENT -> Optional.of(new Told.Happened(toCore(response.getEvent())));
      case GAP ->
          Optional.of(new Told.Gap(response.getGap().getFirst(), response.getGap().getLast()));
      case POSITION -> Optional.of(new Told.Position(response.getPosition().getAfter()));
      case MESSAGE_NOT_SET -> Optional.empty();
    };
  }

  private static Event.Numbered toCore(io.jcontainerd.api.events.v1.Event event) {
    return new Event.Numbered(
        event.getNumber(),
        new Event(
            Times.toCore(event.getTimestamp()),
            event.getNamespace(),
            event.getTopic(),
            TypedValues.toCore(event.getEvent())));
  }
}

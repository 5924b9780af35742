package io.jcontainerd.client;

import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.EventsGrpc.EventsBlockingV2Stub;
import io.jcontainerd.api.services.events.v1.ForwardRequest;
import io.jcontainerd.api.services.events.v1.PublishRequest;
import io.jcontainerd.api.services.events.v1.SubscribeRequest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.wire.Events;
import io.jcontainerd.wire.TypedValues;
import java.util.List;

/** The daemon's events. Safe for many threads. */
public final class RemoteEvents {
  private final EventsBlockingV2Stub stub;

  RemoteEvents(Connection connection) {
    this.stub = EventsGrpc.newBlockingV2Stub(connection.channel());
  }

  /** Tells an event that happens now in the current namespace. */
  public void publish(String topic, TypedValue payload) {
    PublishRequest request =
        PublishRequest.newBuilder().setTopic(topic).setEvent(TypedValues.toApi(payload)).build();
    Connection.send(() -> stub.publish(request));
  }

  /** Hands on an event that happened elsewhere. */
  public void forward(Event event) {
    ForwardRequest request = ForwardRequest.newBuilder().setEnvelope(Events.toApi(event)).build();
    Connection.send(() -> stub.forward(request));
  }

  /**
   * Shows events of all namespaces from now on.
   *
   * <p>This does not wait until the daemon has begun to count: events of the next moment may be
   * missed.
   *
   * @param filters of which one must match; without filters everything is shown
   */
  public EventSubscription subscribe(List<String> filters) {
    return new EventSubscription(
        stub.subscribe(SubscribeRequest.newBuilder().addAllFilters(filters).build()));
  }
}

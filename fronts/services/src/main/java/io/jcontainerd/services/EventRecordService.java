package io.jcontainerd.services;

import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.events.v1.EventsGrpc;
import io.jcontainerd.api.events.v1.SubscribeRequest;
import io.jcontainerd.api.events.v1.SubscribeResponse;
import io.jcontainerd.core.events.EventRecord;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.wire.EventFields;
import io.jcontainerd.wire.EventRecordMessages;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** {@code jcontainerd.services.events.v1.Events}. */
final class EventRecordService {
  /** So often, at most, it is told how far a subscription is while nothing matches. */
  private static final Duration STEP = Duration.ofSeconds(1);

  private final EventRecord record;

  EventRecordService(EventRecord record) {
    this.record = record;
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(EventsGrpc.getServiceDescriptor(), time)
        .serverStream(EventsGrpc.getSubscribeMethod(), this::subscribe)
        .build();
  }

  private void subscribe(SubscribeRequest request, Sink<SubscribeResponse> answers)
      throws InterruptedException {
    Filter filter = Filter.any(request.getFiltersList());
    Set<String> namespaces = Set.copyOf(request.getNamespacesList());
    try (EventRecord.Following following =
        record.follow(
            EventRecordMessages.from(request),
            event ->
                (namespaces.isEmpty() || namespaces.contains(event.namespace()))
                    && filter.matches(new EventFields(event)))) {
      while (true) {
        Optional<EventRecord.Told> next = following.next(STEP);
        if (next.isPresent()) {
          answers.send(EventRecordMessages.toApi(next.get()));
        }
      }
    }
  }
}

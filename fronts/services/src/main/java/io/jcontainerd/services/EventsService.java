package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.ForwardRequest;
import io.jcontainerd.api.services.events.v1.PublishRequest;
import io.jcontainerd.api.services.events.v1.SubscribeRequest;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventStream;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.services.rpc.Sink;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.wire.EventFields;
import io.jcontainerd.wire.Events;
import io.jcontainerd.wire.Failures;
import io.jcontainerd.wire.TypedValues;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;

/**
 * {@code containerd.services.events.v1.Events}, and its one-method sibling for shims, {@code
 * containerd.services.events.ttrpc.v1.Events}.
 */
final class EventsService {
  private static final System.Logger LOG = System.getLogger(EventsService.class.getName());

  /** How long a quiet subscription sleeps between looks at its own end. */
  private static final Duration QUIET = Duration.ofMinutes(1);

  private final EventExchange exchange;
  private final Time time;

  EventsService(EventExchange exchange, Time time) {
    this.exchange = exchange;
    this.time = time;
  }

  ServerServiceDefinition define() {
    return new Endpoint(EventsGrpc.getServiceDescriptor(), time)
        .unary(EventsGrpc.getPublishMethod(), this::publish)
        .unary(EventsGrpc.getForwardMethod(), this::forward)
        .serverStream(EventsGrpc.getSubscribeMethod(), this::subscribe)
        .build();
  }

  TtrpcService defineTtrpc() {
    return TtrpcService.named("containerd.services.events.ttrpc.v1.Events")
        .unary(
            "Forward",
            io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest.parser(),
            (request, context) -> forwardTtrpc(request.getEnvelope(), context.metadata()))
        .build();
  }

  private Empty publish(PublishRequest request) {
    if (!request.hasEvent()) {
      throw new InvalidArgumentException("event must be set on published event");
    }
    exchange.publish(
        new Event(
            time.now(),
            Call.currentNamespace(),
            request.getTopic(),
            TypedValues.toCore(request.getEvent())));
    return Empty.getDefaultInstance();
  }

  private Empty forward(ForwardRequest request) {
    exchange.publish(Events.toCore(request.getEnvelope()));
    return Empty.getDefaultInstance();
  }

  private Empty forwardTtrpc(Envelope envelope, Metadata metadata) {
    try {
      Optional<Event.Origin> origin =
          metadata.first(Event.Origin.METADATA).map(Event.Origin::parse);
      if (origin.isEmpty()) {
        exchange.publish(Events.toCore(envelope));
      } else if (!exchange.publishOnce(origin.get(), Events.toCore(envelope))) {
        LOG.log(Level.DEBUG, "event {0} was told again", origin.get());
      }
      return Empty.getDefaultInstance();
    } catch (ContainerdException e) {
      throw new TtrpcException(StatusCode.of(Failures.code(e)), Failures.text(e), e);
    }
  }

  private void subscribe(SubscribeRequest request, Sink<Envelope> answers)
      throws InterruptedException {
    Filter filter = Filter.any(request.getFiltersList());
    try (EventStream events = exchange.subscribe(event -> filter.matches(new EventFields(event)))) {
      answers.open(); // whatever happens from here on is seen
      while (true) {
        Optional<Event.Numbered> next = events.next(QUIET);
        if (next.isPresent()) {
          answers.send(Events.toApi(next.get().event()));
        }
      }
    }
  }
}

package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.api.services.events.v1.EventsGrpc;
import io.jcontainerd.api.services.events.v1.ForwardRequest;
import io.jcontainerd.api.services.events.v1.PublishRequest;
import io.jcontainerd.api.services.events.v1.SubscribeRequest;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.testkit.time.VirtualTime;
import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcClient;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EventsServiceTest {
  private static final Instant THEN = Instant.parse("2026-01-02T03:04:05Z");
  private static final Any EXIT =
      TypedValues.packApi(TaskExit.newBuilder().setContainerId("c1").setExitStatus(3).build());
  private static final Envelope ENVELOPE =
      Envelope.newBuilder()
          .setNamespace("moby")
          .setTopic("/tasks/exit")
          .setTimestamp(Times.toApi(THEN))
          .setEvent(EXIT)
          .build();

  @TempDir Path folder;
  private final MemoryExchange exchange = new MemoryExchange();
  private final VirtualTime time = new VirtualTime();
  private SocketServer server;

  @BeforeEach
  void serve() throws Exception {
    server = new SocketServer(folder, List.of(Services.events(exchange, time)));
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void a_published_event_gets_the_callers_namespace_and_the_time() {
    stub("k8s.io").publish(PublishRequest.newBuilder().setTopic("/a/b").setEvent(EXIT).build());

    Event event = exchange.published.getFirst();
    assertThat(event.namespace()).isEqualTo("k8s.io");
    assertThat(event.topic()).isEqualTo("/a/b");
    assertThat(event.timestamp()).isEqualTo(time.now());
    assertThat(event.payload()).isEqualTo(TypedValues.toCore(EXIT));
  }

  @Test
  void bad_topics_and_missing_parts_are_refused() {
    for (String topic : List.of("", "a", "/", "/a//b", "/a/ b")) {
      assertFails(
          () ->
              stub("moby")
                  .publish(PublishRequest.newBuilder().setTopic(topic).setEvent(EXIT).build()),
          Status.Code.INVALID_ARGUMENT,
          ": invalid argument");
    }
    assertFails(
        () -> stub("moby").publish(PublishRequest.newBuilder().setTopic("/a").build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    assertFails(
        () ->
            EventsGrpc.newBlockingStub(server.bare())
                .publish(PublishRequest.newBuilder().setTopic("/a").setEvent(EXIT).build()),
        Status.Code.FAILED_PRECONDITION,
        "namespace is required: failed precondition");
    assertFails(
        () ->
            stub("not/valid")
                .publish(PublishRequest.newBuilder().setTopic("/a").setEvent(EXIT).build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
    assertThat(exchange.published).isEmpty();
  }

  @Test
  void a_forwarded_event_goes_in_as_it_is() {
    EventsGrpc.newBlockingStub(server.bare())
        .forward(ForwardRequest.newBuilder().setEnvelope(ENVELOPE).build());

    assertThat(exchange.published)
        .containsExactly(new Event(THEN, "moby", "/tasks/exit", TypedValues.toCore(EXIT)));
    assertFails(
        () ->
            EventsGrpc.newBlockingStub(server.bare())
                .forward(
                    ForwardRequest.newBuilder()
                        .setEnvelope(ENVELOPE.toBuilder().clearTimestamp())
                        .build()),
        Status.Code.INVALID_ARGUMENT,
        "timestamp must be set on forwarded event: invalid argument");
  }

  @Test
  void a_subscriber_sees_what_its_filter_accepts_in_order_and_leaves_no_trace() throws Exception {
    Subscriber subscriber =
        subscribe("namespace==moby,topic~=|^/tasks/|", "event.container_id==wanted");

    publish("moby", "/tasks/start", "c1");
    publish("moby", "/images/create", "c1");
    publish("other", "/tasks/exit", "c1");
    publish("other", "/tasks/exit", "wanted");
    publish("moby", "/tasks/exit", "c2");

    List<String> seen = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Envelope envelope = subscriber.next();
      seen.add(envelope.getNamespace() + envelope.getTopic());
      assertThat(envelope.getEvent().getTypeUrl()).isEqualTo("containerd.events.TaskExit");
    }
    assertThat(seen).containsExactly("moby/tasks/start", "other/tasks/exit", "moby/tasks/exit");
    subscriber.call.cancel("enough", null);
    exchange.awaitNoSubscribers();
  }

  @Test
  void many_events_arrive_complete_and_in_order() throws Exception {
    Subscriber subscriber = subscribe();
    for (int i = 0; i < 2_000; i++) {
      publish("moby", "/tasks/exit", "c" + i);
    }

    for (int i = 0; i < 2_000; i++) {
      assertThat(TaskExit.parseFrom(subscriber.next().getEvent().getValue()).getContainerId())
          .isEqualTo("c" + i);
    }
  }

  @Test
  void a_bad_filter_is_refused() {
    assertFails(
        () ->
            stub("moby")
                .subscribe(SubscribeRequest.newBuilder().addFilters("topic==").build())
                .hasNext(),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void a_shim_forwards_over_ttrpc_and_hears_of_its_mistakes() throws Exception {
    Path socket = folder.resolve("shim.sock");
    var request =
        io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest.newBuilder()
            .setEnvelope(ENVELOPE)
            .build();
    try (TtrpcServer ttrpc = new TtrpcServer(Services.ttrpc(exchange, Time.SYSTEM));
        ServerSocketChannel listener = UnixSockets.listen(socket)) {
      ttrpc.listen(listener);
      TtrpcClient client = TtrpcClient.connect(socket, Duration.ofSeconds(60));
      assertThat(forward(client, request)).isEqualTo(Empty.getDefaultInstance());
      assertThat(exchange.published).hasSize(1);
      for (String origin : List.of("host/7", "host/7", "host/8", "other/7")) {
        var _ =
            forward(
                client,
                request,
                CallOptions.within(Duration.ofSeconds(60))
                    .with(
                        io.jcontainerd.ttrpc.Metadata.EMPTY.with(
                            "jcontainerd-event-origin", origin)));
      }
      assertThat(exchange.published).as("told once each").hasSize(4);

      TtrpcException refused =
          catchThrowableOfType(
              TtrpcException.class,
              () ->
                  forward(
                      client,
                      request.toBuilder().setEnvelope(ENVELOPE.toBuilder().setTopic("x")).build()));
      assertThat(refused.code()).isEqualTo(StatusCode.INVALID_ARGUMENT);
      assertThat(refused.text()).endsWith(": invalid argument");
      client.close();
    }
  }

  private static Empty forward(
      TtrpcClient client, io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest request)
      throws InterruptedException {
    return forward(client, request, CallOptions.within(Duration.ofSeconds(60)));
  }

  private static Empty forward(
      TtrpcClient client,
      io.jcontainerd.api.services.ttrpc.events.v1.ForwardRequest request,
      CallOptions options)
      throws InterruptedException {
    return client.call(
        "containerd.services.events.ttrpc.v1.Events", "Forward", request, Empty.parser(), options);
  }

  private void publish(String namespace, String topic, String container) {
    exchange.publish(
        new Event(
            THEN,
            namespace,
            topic,
            new TypedValue(
                "containerd.events.TaskExit",
                TaskExit.newBuilder().setContainerId(container).build().toByteArray())));
  }

  private EventsGrpc.EventsBlockingStub stub(String namespace) {
    return EventsGrpc.newBlockingStub(server.in(namespace))
        .withDeadlineAfter(100, TimeUnit.SECONDS);
  }

  private Subscriber subscribe(String... filters) throws InterruptedException {
    var call = server.bare().newCall(EventsGrpc.getSubscribeMethod(), SocketServer.patience());
    Subscriber subscriber = new Subscriber(call);
    call.start(subscriber, new Metadata());
    call.request(5_000);
    call.sendMessage(SubscribeRequest.newBuilder().addAllFilters(List.of(filters)).build());
    call.halfClose();
    assertThat(subscriber.accepted.await(60, TimeUnit.SECONDS)).isTrue();
    return subscriber;
  }

  private static final class Subscriber extends ClientCall.Listener<Envelope> {
    final ClientCall<SubscribeRequest, Envelope> call;
    final CountDownLatch accepted = new CountDownLatch(1);
    private final LinkedBlockingQueue<Envelope> events = new LinkedBlockingQueue<>();

    Subscriber(ClientCall<SubscribeRequest, Envelope> call) {
      this.call = call;
    }

    Envelope next() throws InterruptedException {
      return Optional.ofNullable(events.poll(60, TimeUnit.SECONDS)).orElseThrow();
    }

    @Override
    public void onHeaders(Metadata headers) {
      accepted.countDown();
    }

    @Override
    public void onMessage(Envelope message) {
      events.add(message);
    }
  }
}

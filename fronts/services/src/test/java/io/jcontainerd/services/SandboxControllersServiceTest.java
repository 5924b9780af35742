package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import io.jcontainerd.api.events.SandboxExit;
import io.jcontainerd.api.services.sandbox.v1.ControllerCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerUpdateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.testkit.memory.InMemorySandboxStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A controller behind one socket, named by requests that come in at another. */
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class SandboxControllersServiceTest {
  @TempDir Path folder;
  private SocketServer controller;
  private SocketServer server;
  private final MemoryExchange events = new MemoryExchange();
  private final InMemorySandboxStore records = new InMemorySandboxStore();
  private final ScriptedController here = new ScriptedController();

  @BeforeEach
  void serve() throws Exception {
    controller =
        new SocketServer(
            Files.createDirectory(folder.resolve("controller")),
            List.of(
                new Endpoint(ControllerGrpc.getServiceDescriptor(), Time.SYSTEM)
                    .unary(ControllerGrpc.getStartMethod(), SandboxControllersServiceTest::started)
                    .unary(ControllerGrpc.getStopMethod(), SandboxControllersServiceTest::stopped)
                    .unary(ControllerGrpc.getWaitMethod(), _ -> ENDED)
                    .restNotImplemented("not this one")
                    .build()));
    server =
        new SocketServer(
            Files.createDirectory(folder.resolve("server")),
            List.of(
                Services.sandboxControllers(
                    Map.of("here", here),
                    Map.of("elsewhere", controller.in("of-the-call")),
                    records,
                    events,
                    Time.SYSTEM)));
  }

  private static final ControllerWaitResponse ENDED =
      ControllerWaitResponse.newBuilder().setExitStatus(3).build();

  private static ControllerStartResponse started(ControllerStartRequest request) {
    return ControllerStartResponse.newBuilder()
        .setSandboxId(request.getSandboxId())
        .setPid(7)
        .putLabels("namespace", Call.currentNamespace())
        .build();
  }

  private static ControllerStopResponse stopped(ControllerStopRequest request) {
    throw new UnavailableException("sandbox " + request.getSandboxId());
  }

  @AfterEach
  void close() {
    server.close();
    controller.close();
  }

  private ControllerGrpc.ControllerBlockingStub stub() {
    return ControllerGrpc.newBlockingStub(server.in("ns"));
  }

  @Test
  void a_request_goes_to_the_controller_that_it_names() {
    var request =
        ControllerStartRequest.newBuilder().setSandboxId("box").setSandboxer("elsewhere").build();
    ControllerStartResponse answer = stub().start(request);
    assertThat(answer.getSandboxId()).isEqualTo("box");
    assertThat(answer.getPid()).isEqualTo(7);
    assertThat(answer.getLabelsMap()).containsEntry("namespace", "of-the-call");
  }

  @Test
  void a_start_and_the_end_that_each_waiter_sees_are_told_as_events() throws Exception {
    var start =
        ControllerStartRequest.newBuilder().setSandboxId("box").setSandboxer("elsewhere").build();
    var wait =
        ControllerWaitRequest.newBuilder().setSandboxId("box").setSandboxer("elsewhere").build();
    stub().start(start);
    assertThat(stub().wait(wait)).isEqualTo(ENDED);
    assertThat(stub().wait(wait)).isEqualTo(ENDED);
    assertThat(events.published)
        .extracting(Event::topic)
        .containsExactly("/sandboxes/start", "/sandboxes/exit", "/sandboxes/exit");
    assertThat(events.published).extracting(Event::namespace).containsOnly("ns");
    SandboxExit exit = SandboxExit.parseFrom(events.published.getLast().payload().value());
    assertThat(exit.getSandboxId()).isEqualTo("box");
    assertThat(exit.getExitStatus()).isEqualTo(3);
  }

  @Test
  void failures_come_back_as_they_were_told() {
    assertFails(
        () ->
            stub()
                .stop(
                    ControllerStopRequest.newBuilder()
                        .setSandboxId("box")
                        .setSandboxer("elsewhere")
                        .build()),
        Status.Code.UNAVAILABLE,
        ": unavailable");
    assertFails(
        () -> stub().start(ControllerStartRequest.newBuilder().setSandboxer("nobody").build()),
        Status.Code.NOT_FOUND,
        ": not found");
    assertFails(
        () -> stub().start(ControllerStartRequest.getDefaultInstance()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void a_controller_of_this_process_is_asked_in_the_namespace_of_the_call() {
    var record =
        io.jcontainerd.api.types.Sandbox.newBuilder()
            .setSandboxId("box")
            .setRuntime(io.jcontainerd.api.types.Sandbox.Runtime.newBuilder().setName("r.v1"))
            .build();
    var created =
        stub()
            .create(
                ControllerCreateRequest.newBuilder()
                    .setSandboxId("box")
                    .setSandboxer("here")
                    .setNetnsPath("/n")
                    .putAnnotations("a", "b")
                    .setSandbox(record)
                    .build());
    assertThat(created.getSandboxId()).isEqualTo("box");
    assertThat(here.creations.getLast().sandbox().runtime().name()).isEqualTo("r.v1");
    assertThat(here.creations.getLast().netnsPath()).isEqualTo("/n");
    assertThat(here.creations.getLast().annotations()).isEqualTo(Map.of("a", "b"));
    var started =
        stub()
            .start(
                ControllerStartRequest.newBuilder()
                    .setSandboxId("box")
                    .setSandboxer("here")
                    .build());
    assertThat(started.getAddress()).isEqualTo("ttrpc+unix:///a");
    assertThat(started.getVersion()).isEqualTo(3);
    assertThat(started.getPid()).isEqualTo(5);
    assertThat(here.namespaces).containsOnly("ns");
    assertThat(events.published)
        .extracting(Event::topic)
        .containsExactly("/sandboxes/create", "/sandboxes/start");
  }

  @Test
  void a_client_that_sends_no_record_means_the_stored_one() {
    Call.in("ns")
        .run(
            () -> {
              Sandbox _ =
                  records.create(
                      new Sandbox(
                          "box",
                          "here",
                          new Sandbox.Runtime("stored.v1", Optional.empty()),
                          Optional.empty(),
                          Map.of(),
                          Map.of(),
                          Instant.EPOCH,
                          Instant.EPOCH));
            });
    var request =
        ControllerCreateRequest.newBuilder().setSandboxId("box").setSandboxer("here").build();
    assertThat(stub().create(request).getSandboxId()).isEqualTo("box");
    assertThat(here.creations.getLast().sandbox().runtime().name()).isEqualTo("stored.v1");
    assertThat(stub().create(request.toBuilder().setSandboxId("new").build())).isNotNull();
    assertThat(here.creations.getLast().sandbox().id()).isEqualTo("new");
  }

  @Test
  void an_unknown_sandbox_has_an_empty_state_and_something_extra() {
    var status =
        stub()
            .status(
                ControllerStatusRequest.newBuilder()
                    .setSandboxId("none")
                    .setSandboxer("here")
                    .build());
    assertThat(status.getState()).isEmpty();
    assertThat(status.hasExitedAt()).isTrue();
    assertThat(status.hasExtra()).isTrue();
    assertThat(status.hasCreatedAt()).isFalse();
  }

  @Test
  void an_update_needs_a_record() {
    var request =
        ControllerUpdateRequest.newBuilder().setSandboxId("box").setSandboxer("here").build();
    assertFails(() -> stub().update(request), Status.Code.UNKNOWN, "without its record");
    var whole =
        request.toBuilder()
            .setSandbox(io.jcontainerd.api.types.Sandbox.getDefaultInstance())
            .addFields("labels")
            .build();
    assertThat(stub().update(whole)).isNotNull();
    assertThat(here.updated).containsExactly("box [labels]");
  }
}

package io.jcontainerd.services;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.jcontainerd.api.events.SandboxCreate;
import io.jcontainerd.api.events.SandboxExit;
import io.jcontainerd.api.events.SandboxStart;
import io.jcontainerd.api.services.sandbox.v1.ControllerCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerCreateResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc;
import io.jcontainerd.api.services.sandbox.v1.ControllerMetricsRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerMetricsResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerPlatformRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerPlatformResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerShutdownRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerShutdownResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerUpdateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerUpdateResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Failures;
import io.jcontainerd.wire.TypedValues;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * {@code containerd.services.sandbox.v1.Controller}: each request goes to the controller that it
 * names, be it of this process or served by another one, to which it is passed on as it is. What
 * was created, was started or has ended is told as an event; an end once for each who waited.
 */
final class SandboxControllersService {
  private final Map<String, ServedController> own;
  private final Map<String, Channel> others;
  private final EventExchange events;
  private final Time time;

  SandboxControllersService(
      Map<String, ServedController> own,
      Map<String, Channel> others,
      EventExchange events,
      Time time) {
    this.own = Map.copyOf(own);
    this.others = Map.copyOf(others);
    this.events = events;
    this.time = time;
  }

  ServerServiceDefinition define() {
    Endpoint service = new Endpoint(ControllerGrpc.getServiceDescriptor(), time);
    service.unary(ControllerGrpc.getCreateMethod(), this::create);
    service.unary(ControllerGrpc.getStartMethod(), this::start);
    service.unary(ControllerGrpc.getPlatformMethod(), this::platform);
    service.unary(ControllerGrpc.getStopMethod(), this::stop);
    service.unary(ControllerGrpc.getWaitMethod(), this::await);
    service.unary(ControllerGrpc.getStatusMethod(), this::status);
    service.unary(ControllerGrpc.getShutdownMethod(), this::shutdown);
    service.unary(ControllerGrpc.getMetricsMethod(), this::metrics);
    service.unary(ControllerGrpc.getUpdateMethod(), this::update);
    return service.build();
  }

  private ControllerCreateResponse create(ControllerCreateRequest request)
      throws InterruptedException {
    ControllerCreateResponse answer =
        call(
            request.getSandboxer(),
            ControllerGrpc.getCreateMethod(),
            request,
            ServedController::create);
    tell("create", SandboxCreate.newBuilder().setSandboxId(request.getSandboxId()).build());
    return answer;
  }

  private ControllerStartResponse start(ControllerStartRequest request)
      throws InterruptedException {
    ControllerStartResponse answer =
        call(
            request.getSandboxer(),
            ControllerGrpc.getStartMethod(),
            request,
            ServedController::start);
    tell("start", SandboxStart.newBuilder().setSandboxId(request.getSandboxId()).build());
    return answer;
  }

  private ControllerWaitResponse await(ControllerWaitRequest request) throws InterruptedException {
    ControllerWaitResponse answer =
        call(
            request.getSandboxer(),
            ControllerGrpc.getWaitMethod(),
            request,
            ServedController::await);
    tell(
        "exit",
        SandboxExit.newBuilder()
            .setSandboxId(request.getSandboxId())
            .setExitStatus(answer.getExitStatus())
            .setExitedAt(answer.getExitedAt())
            .build());
    return answer;
  }

  private void tell(String what, Message message) {
    events.publish(
        new Event(
            time.now(), Call.currentNamespace(), "/sandboxes/" + what, TypedValues.pack(message)));
  }

  private ControllerPlatformResponse platform(ControllerPlatformRequest request)
      throws InterruptedException {
    return call(
        request.getSandboxer(),
        ControllerGrpc.getPlatformMethod(),
        request,
        ServedController::platform);
  }

  private ControllerStopResponse stop(ControllerStopRequest request) throws InterruptedException {
    return call(
        request.getSandboxer(), ControllerGrpc.getStopMethod(), request, ServedController::stop);
  }

  private ControllerStatusResponse status(ControllerStatusRequest request)
      throws InterruptedException {
    return call(
        request.getSandboxer(),
        ControllerGrpc.getStatusMethod(),
        request,
        ServedController::status);
  }

  private ControllerShutdownResponse shutdown(ControllerShutdownRequest request)
      throws InterruptedException {
    return call(
        request.getSandboxer(),
        ControllerGrpc.getShutdownMethod(),
        request,
        ServedController::shutdown);
  }

  private ControllerMetricsResponse metrics(ControllerMetricsRequest request)
      throws InterruptedException {
    return call(
        request.getSandboxer(),
        ControllerGrpc.getMetricsMethod(),
        request,
        ServedController::metrics);
  }

  private ControllerUpdateResponse update(ControllerUpdateRequest request)
      throws InterruptedException {
    if (!request.hasSandbox()) {
      throw new UnknownException("update of a sandbox without its record");
    }
    return call(
        request.getSandboxer(),
        ControllerGrpc.getUpdateMethod(),
        request,
        ServedController::update);
  }

  /** How a controller of this process answers. */
  @FunctionalInterface
  private interface Answer<Q, A> {
    A of(ServedController controller, Q request) throws InterruptedException;
  }

  private <Q, A> A call(String name, MethodDescriptor<Q, A> method, Q request, Answer<Q, A> answer)
      throws InterruptedException {
    if (name.isEmpty()) {
      throw new InvalidArgumentException("the name of a sandbox controller must not be empty");
    }
    ServedController controller = own.get(name);
    return controller == null ? passedOn(name, method, request) : answer.of(controller, request);
  }

  private <Q, A> A passedOn(String name, MethodDescriptor<Q, A> method, Q request) {
    Channel channel = others.get(name);
    if (channel == null) {
      throw new NotFoundException("sandbox controller \"" + name + "\"");
    }
    try {
      return ClientCalls.blockingUnaryCall(channel, method, options(), request);
    } catch (StatusRuntimeException e) {
      throw Failures.toCore(e);
    }
  }

  /** Whoever calls says how long; the end of a sandbox is waited for without limit. */
  private static CallOptions options() {
    Instant until = Call.current().deadline().orElse(Instant.MAX);
    return until.equals(Instant.MAX)
        ? CallOptions.DEFAULT.withDeadlineAfter(Duration.ofDays(3650).toSeconds(), TimeUnit.SECONDS)
        : CallOptions.DEFAULT.withDeadline(
            Deadline.after(Duration.between(Instant.now(), until).toNanos(), TimeUnit.NANOSECONDS));
  }
}

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
import io.jcontainerd.api.services.sandbox.v1.ControllerPlatformRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerShutdownRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerUpdateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Failures;
import io.jcontainerd.wire.TypedValues;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * {@code containerd.services.sandbox.v1.Controller} before controllers that other processes serve:
 * each request is passed on, as it is, to the one that it names. What was created, was started or
 * has ended is told as an event; an end once for each who waited.
 */
final class SandboxControllersService {
  private final Map<String, Channel> controllers;
  private final EventExchange events;
  private final Time time;

  SandboxControllersService(Map<String, Channel> controllers, EventExchange events, Time time) {
    this.controllers = Map.copyOf(controllers);
    this.events = events;
    this.time = time;
  }

  ServerServiceDefinition define() {
    Endpoint service = new Endpoint(ControllerGrpc.getServiceDescriptor(), time);
    service.unary(ControllerGrpc.getCreateMethod(), this::create);
    service.unary(ControllerGrpc.getStartMethod(), this::start);
    pass(service, ControllerGrpc.getPlatformMethod(), ControllerPlatformRequest::getSandboxer);
    pass(service, ControllerGrpc.getStopMethod(), ControllerStopRequest::getSandboxer);
    service.unary(ControllerGrpc.getWaitMethod(), this::await);
    pass(service, ControllerGrpc.getStatusMethod(), ControllerStatusRequest::getSandboxer);
    pass(service, ControllerGrpc.getShutdownMethod(), ControllerShutdownRequest::getSandboxer);
    pass(service, ControllerGrpc.getMetricsMethod(), ControllerMetricsRequest::getSandboxer);
    pass(service, ControllerGrpc.getUpdateMethod(), ControllerUpdateRequest::getSandboxer);
    return service.build();
  }

  private ControllerCreateResponse create(ControllerCreateRequest request) {
    ControllerCreateResponse answer =
        call(request.getSandboxer(), ControllerGrpc.getCreateMethod(), request);
    tell("create", SandboxCreate.newBuilder().setSandboxId(request.getSandboxId()).build());
    return answer;
  }

  private ControllerStartResponse start(ControllerStartRequest request) {
    ControllerStartResponse answer =
        call(request.getSandboxer(), ControllerGrpc.getStartMethod(), request);
    tell("start", SandboxStart.newBuilder().setSandboxId(request.getSandboxId()).build());
    return answer;
  }

  private ControllerWaitResponse await(ControllerWaitRequest request) {
    ControllerWaitResponse answer =
        call(request.getSandboxer(), ControllerGrpc.getWaitMethod(), request);
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

  private <Q, A> void pass(
      Endpoint service, MethodDescriptor<Q, A> method, Function<Q, String> controller) {
    service.unary(method, request -> call(controller.apply(request), method, request));
  }

  private <Q, A> A call(String name, MethodDescriptor<Q, A> method, Q request) {
    if (name.isEmpty()) {
      throw new InvalidArgumentException("the name of a sandbox controller must not be empty");
    }
    Channel channel = controllers.get(name);
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

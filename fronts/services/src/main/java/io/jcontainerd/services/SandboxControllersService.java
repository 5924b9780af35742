package io.jcontainerd.services;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.jcontainerd.api.services.sandbox.v1.ControllerCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc;
import io.jcontainerd.api.services.sandbox.v1.ControllerMetricsRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerPlatformRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerShutdownRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerUpdateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitRequest;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Failures;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * {@code containerd.services.sandbox.v1.Controller} before controllers that other processes serve:
 * each request is passed on, as it is, to the one that it names.
 */
final class SandboxControllersService {
  private final Map<String, Channel> controllers;

  SandboxControllersService(Map<String, Channel> controllers) {
    this.controllers = Map.copyOf(controllers);
  }

  ServerServiceDefinition define(Time time) {
    Endpoint service = new Endpoint(ControllerGrpc.getServiceDescriptor(), time);
    pass(service, ControllerGrpc.getCreateMethod(), ControllerCreateRequest::getSandboxer);
    pass(service, ControllerGrpc.getStartMethod(), ControllerStartRequest::getSandboxer);
    pass(service, ControllerGrpc.getPlatformMethod(), ControllerPlatformRequest::getSandboxer);
    pass(service, ControllerGrpc.getStopMethod(), ControllerStopRequest::getSandboxer);
    pass(service, ControllerGrpc.getWaitMethod(), ControllerWaitRequest::getSandboxer);
    pass(service, ControllerGrpc.getStatusMethod(), ControllerStatusRequest::getSandboxer);
    pass(service, ControllerGrpc.getShutdownMethod(), ControllerShutdownRequest::getSandboxer);
    pass(service, ControllerGrpc.getMetricsMethod(), ControllerMetricsRequest::getSandboxer);
    pass(service, ControllerGrpc.getUpdateMethod(), ControllerUpdateRequest::getSandboxer);
    return service.build();
  }

  private <Q, A> void pass(
      Endpoint service, MethodDescriptor<Q, A> method, Function<Q, String> controller) {
    service.unary(method, request -> call(controller.apply(request), method, request));
  }

  private <Q, A> A call(String name, MethodDescriptor<Q, A> method, Q request) {
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

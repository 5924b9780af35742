package io.jcontainerd.services;

import com.google.protobuf.Any;
import io.jcontainerd.api.services.sandbox.v1.ControllerCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerCreateResponse;
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
import io.jcontainerd.api.types.Metric;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.wire.Sandboxes;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** A controller of this process, asked in the API's messages. */
final class ServedController {
  private final SandboxController controller;
  private final SandboxStore store;

  ServedController(SandboxController controller, SandboxStore store) {
    this.controller = controller;
    this.store = store;
  }

  ControllerCreateResponse create(ControllerCreateRequest request) throws InterruptedException {
    controller.create(
        new SandboxController.Creation(
            sandbox(request),
            Types.mountsToCore(request.getRootfsList()),
            TypedValues.toCore(request.hasOptions(), request.getOptions()),
            request.getNetnsPath(),
            request.getAnnotationsMap()));
    return ControllerCreateResponse.newBuilder().setSandboxId(request.getSandboxId()).build();
  }

  /** Clients of 1.7 send no record, but have stored one. */
  private Sandbox sandbox(ControllerCreateRequest request) {
    String id = request.getSandboxId();
    if (request.hasSandbox()) {
      return Sandboxes.toCore(request.getSandbox().toBuilder().setSandboxId(id).build());
    }
    try {
      return store.get(id);
    } catch (NotFoundException _) {
      return new Sandbox(
          id,
          request.getSandboxer(),
          Sandbox.Runtime.NONE,
          Optional.empty(),
          Map.of(),
          Map.of(),
          Instant.EPOCH,
          Instant.EPOCH);
    }
  }

  ControllerStartResponse start(ControllerStartRequest request) throws InterruptedException {
    SandboxController.Started started = controller.start(request.getSandboxId());
    var answer =
        ControllerStartResponse.newBuilder()
            .setSandboxId(request.getSandboxId())
            .setPid(started.pid())
            .setCreatedAt(Times.toApi(started.createdAt()))
            .setAddress(started.endpoint().address())
            .setVersion(started.endpoint().version());
    started.spec().map(TypedValues::toApi).ifPresent(answer::setSpec);
    return answer.build();
  }

  ControllerPlatformResponse platform(ControllerPlatformRequest request)
      throws InterruptedException {
    return ControllerPlatformResponse.newBuilder()
        .setPlatform(Types.toApi(controller.platform(request.getSandboxId())))
        .build();
  }

  ControllerStopResponse stop(ControllerStopRequest request) throws InterruptedException {
    controller.stop(
        request.getSandboxId(),
        Duration.ofSeconds(Integer.toUnsignedLong(request.getTimeoutSecs())));
    return ControllerStopResponse.getDefaultInstance();
  }

  ControllerWaitResponse await(ControllerWaitRequest request) throws InterruptedException {
    SandboxController.End end = controller.await(request.getSandboxId());
    return ControllerWaitResponse.newBuilder()
        .setExitStatus(end.status())
        .setExitedAt(Times.toApi(end.at()))
        .build();
  }

  ControllerStatusResponse status(ControllerStatusRequest request) throws InterruptedException {
    SandboxController.Status status =
        controller.status(request.getSandboxId(), request.getVerbose());
    var answer =
        ControllerStatusResponse.newBuilder()
            .setSandboxId(request.getSandboxId())
            .setPid(status.pid())
            .setState(status.state())
            .putAllInfo(status.info())
            .setExtra(status.extra().map(TypedValues::toApi).orElse(Any.getDefaultInstance()))
            .setAddress(status.endpoint().address())
            .setVersion(status.endpoint().version());
    status.createdAt().map(Times::toApi).ifPresent(answer::setCreatedAt);
    status.exitedAt().map(Times::toApi).ifPresent(answer::setExitedAt);
    return answer.build();
  }

  ControllerShutdownResponse shutdown(ControllerShutdownRequest request)
      throws InterruptedException {
    controller.shutdown(request.getSandboxId());
    return ControllerShutdownResponse.getDefaultInstance();
  }

  ControllerMetricsResponse metrics(ControllerMetricsRequest request) throws InterruptedException {
    SandboxController.Metrics metrics = controller.metrics(request.getSandboxId());
    Metric.Builder metric =
        Metric.newBuilder().setTimestamp(Times.toApi(metrics.at())).setId(metrics.id());
    metrics.data().map(TypedValues::toApi).ifPresent(metric::setData);
    return ControllerMetricsResponse.newBuilder().setMetrics(metric).build();
  }

  ControllerUpdateResponse update(ControllerUpdateRequest request) throws InterruptedException {
    controller.update(
        Sandboxes.toCore(
            request.getSandbox().toBuilder().setSandboxId(request.getSandboxId()).build()),
        request.getFieldsList());
    return ControllerUpdateResponse.getDefaultInstance();
  }
}

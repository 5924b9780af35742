package io.jcontainerd.client;

import io.jcontainerd.api.services.sandbox.v1.ControllerCreateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc.ControllerBlockingV2Stub;
import io.jcontainerd.api.services.sandbox.v1.ControllerMetricsRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerPlatformRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerShutdownRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStartResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerStatusResponse;
import io.jcontainerd.api.services.sandbox.v1.ControllerStopRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerUpdateRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitRequest;
import io.jcontainerd.api.services.sandbox.v1.ControllerWaitResponse;
import io.jcontainerd.api.types.Metric;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.wire.Sandboxes;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** One of the daemon's sandbox controllers. Safe for many threads. */
public final class RemoteSandboxController implements SandboxController {
  private final ControllerBlockingV2Stub stub;
  private final String name;

  RemoteSandboxController(Connection connection, String name) {
    this.stub = ControllerGrpc.newBlockingV2Stub(connection.channel());
    this.name = name;
  }

  @Override
  public void create(Creation creation) throws InterruptedException {
    ControllerCreateRequest.Builder request =
        ControllerCreateRequest.newBuilder()
            .setSandboxer(name)
            .setSandboxId(creation.sandbox().id())
            .setSandbox(Sandboxes.toApi(creation.sandbox()))
            .addAllRootfs(Types.mountsToApi(creation.rootfs()))
            .setNetnsPath(creation.netnsPath())
            .putAllAnnotations(creation.annotations());
    creation.options().map(TypedValues::toApi).ifPresent(request::setOptions);
    var _ = Connection.sendInterruptibly(() -> stub.create(request.build()));
  }

  @Override
  public Started start(String id) throws InterruptedException {
    ControllerStartRequest request =
        ControllerStartRequest.newBuilder().setSandboxer(name).setSandboxId(id).build();
    ControllerStartResponse reply = Connection.sendInterruptibly(() -> stub.start(request));
    return new Started(
        reply.getPid(),
        Times.toCore(reply.getCreatedAt()),
        TypedValues.toCore(reply.hasSpec(), reply.getSpec()),
        new Endpoint(reply.getAddress(), reply.getVersion()));
  }

  @Override
  public Platform platform(String id) throws InterruptedException {
    ControllerPlatformRequest request =
        ControllerPlatformRequest.newBuilder().setSandboxer(name).setSandboxId(id).build();
    return Types.toCore(Connection.sendInterruptibly(() -> stub.platform(request)).getPlatform());
  }

  @Override
  public void stop(String id, Duration patience) throws InterruptedException {
    ControllerStopRequest request =
        ControllerStopRequest.newBuilder()
            .setSandboxer(name)
            .setSandboxId(id)
            .setTimeoutSecs(seconds(patience))
            .build();
    var _ = Connection.sendInterruptibly(() -> stub.stop(request));
  }

  /** Rounded up, for none means something else. */
  private static int seconds(Duration patience) {
    long seconds = patience.plusNanos(999_999_999).toSeconds();
    return (int) Math.min(Integer.MAX_VALUE, seconds);
  }

  @Override
  public End await(String id) throws InterruptedException {
    ControllerWaitRequest request =
        ControllerWaitRequest.newBuilder().setSandboxer(name).setSandboxId(id).build();
    ControllerWaitResponse reply = Connection.sendInterruptibly(() -> stub.wait(request));
    return new End(reply.getExitStatus(), Times.toCore(reply.getExitedAt()));
  }

  @Override
  public Status status(String id, boolean verbose) throws InterruptedException {
    ControllerStatusRequest request =
        ControllerStatusRequest.newBuilder()
            .setSandboxer(name)
            .setSandboxId(id)
            .setVerbose(verbose)
            .build();
    ControllerStatusResponse reply = Connection.sendInterruptibly(() -> stub.status(request));
    return new Status(
        reply.getPid(),
        reply.getState(),
        reply.getInfoMap(),
        Times.toCore(reply.hasCreatedAt(), reply.getCreatedAt()),
        Times.toCore(reply.hasExitedAt(), reply.getExitedAt()),
        TypedValues.toCore(reply.hasExtra(), reply.getExtra())
            .filter(extra -> !extra.typeUrl().isEmpty()), // one without a type is none
        new Endpoint(reply.getAddress(), reply.getVersion()));
  }

  @Override
  public void shutdown(String id) throws InterruptedException {
    ControllerShutdownRequest request =
        ControllerShutdownRequest.newBuilder().setSandboxer(name).setSandboxId(id).build();
    var _ = Connection.sendInterruptibly(() -> stub.shutdown(request));
  }

  @Override
  public Metrics metrics(String id) throws InterruptedException {
    ControllerMetricsRequest request =
        ControllerMetricsRequest.newBuilder().setSandboxer(name).setSandboxId(id).build();
    Metric metric = Connection.sendInterruptibly(() -> stub.metrics(request)).getMetrics();
    return new Metrics(
        Times.toCore(metric.getTimestamp()),
        metric.getId(),
        metric.hasData() ? Optional.of(TypedValues.toCore(metric.getData())) : Optional.empty());
  }

  @Override
  public void update(Sandbox sandbox, List<String> fields) throws InterruptedException {
    ControllerUpdateRequest request =
        ControllerUpdateRequest.newBuilder()
            .setSandboxer(name)
            .setSandboxId(sandbox.id())
            .setSandbox(Sandboxes.toApi(sandbox))
            .addAllFields(fields)
            .build();
    var _ = Connection.sendInterruptibly(() -> stub.update(request));
  }
}

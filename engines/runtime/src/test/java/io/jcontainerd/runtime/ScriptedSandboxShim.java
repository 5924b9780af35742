package io.jcontainerd.runtime;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import io.jcontainerd.api.runtime.sandbox.v1.CreateSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.CreateSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.PlatformRequest;
import io.jcontainerd.api.runtime.sandbox.v1.PlatformResponse;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxMetricsRequest;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxMetricsResponse;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxStatusRequest;
import io.jcontainerd.api.runtime.sandbox.v1.SandboxStatusResponse;
import io.jcontainerd.api.runtime.sandbox.v1.ShutdownSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.ShutdownSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.StartSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.StartSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.StopSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.StopSandboxResponse;
import io.jcontainerd.api.runtime.sandbox.v1.WaitSandboxRequest;
import io.jcontainerd.api.runtime.sandbox.v1.WaitSandboxResponse;
import io.jcontainerd.api.runtime.task.v3.ConnectRequest;
import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CreateTaskResponse;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.PidsRequest;
import io.jcontainerd.api.runtime.task.v3.PidsResponse;
import io.jcontainerd.api.runtime.task.v3.ShutdownRequest;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.types.Metric;
import io.jcontainerd.api.types.Platform;
import io.jcontainerd.api.types.task.ProcessInfo;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.Times;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * A shim that keeps one sandbox and serves tasks: a script plays its program, this process what the
 * script is said to have started.
 */
final class ScriptedSandboxShim implements AutoCloseable {
  static final Instant BEGAN = Instant.parse("2020-01-02T03:04:05Z");
  static final Instant ENDED = Instant.parse("2020-01-02T03:05:06Z");

  private final Path folder;
  private final Path script;
  private final TtrpcServer server;
  private final CountDownLatch stopped = new CountDownLatch(1);
  final Set<String> tasks = ConcurrentHashMap.newKeySet();
  final List<String> asked = java.util.Collections.synchronizedList(new java.util.ArrayList<>());
  private volatile Optional<CreateSandboxRequest> creation = Optional.empty();
  volatile boolean refusesCreate;
  volatile boolean refusesStart;
  private volatile boolean running;
  private volatile String fatal = "";

  ScriptedSandboxShim(Path folder) throws IOException {
    this.folder = folder;
    script = folder.resolve("sandbox-shim");
    Files.writeString(
        script,
        """
        #!/bin/sh
        for word; do action=$word; done
        echo "$action" >> %1$s/actions
        case $action in
        start)
          cat > %1$s/input
          printf '{"version":3,"address":"unix://%1$s/box","protocol":"ttrpc"}' ;;
        delete) printf '\\010\\052\\020\\211\\001' ;;
        esac
        """
            .formatted(folder));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
    server =
        new TtrpcServer(
            List.of(
                TtrpcService.named("containerd.runtime.sandbox.v1.Sandbox")
                    .unary("CreateSandbox", CreateSandboxRequest.parser(), (q, _) -> create(q))
                    .unary("StartSandbox", StartSandboxRequest.parser(), (q, _) -> start(q))
                    .unary("Platform", PlatformRequest.parser(), (q, _) -> platform(q))
                    .unary("StopSandbox", StopSandboxRequest.parser(), (q, _) -> stop(q))
                    .waiting("WaitSandbox", WaitSandboxRequest.parser(), (q, _) -> await(q))
                    .unary("SandboxStatus", SandboxStatusRequest.parser(), (q, _) -> status(q))
                    .unary(
                        "ShutdownSandbox", ShutdownSandboxRequest.parser(), (q, _) -> shutdown(q))
                    .unary("SandboxMetrics", SandboxMetricsRequest.parser(), (q, _) -> metrics(q))
                    .build(),
                TtrpcService.named("containerd.task.v3.Task")
                    .unary("Create", CreateTaskRequest.parser(), (q, _) -> createTask(q))
                    .unary("Connect", ConnectRequest.parser(), (_, _) -> connect())
                    .unary("Pids", PidsRequest.parser(), (_, _) -> pids())
                    .unary("State", StateRequest.parser(), (_, _) -> state())
                    .unary("Delete", DeleteRequest.parser(), (q, _) -> deleteTask(q))
                    .unary("Shutdown", ShutdownRequest.parser(), (_, _) -> shutdownTasks())
                    .build()));
    server.listen(UnixSockets.listen(folder.resolve("box")));
  }

  /** The shim's program. */
  String program() {
    return script.toString();
  }

  /** What the program was started for. */
  List<String> actions() throws IOException {
    Path file = folder.resolve("actions");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  CreateSandboxRequest creation() {
    return creation.orElseThrow();
  }

  private void known(String id) {
    if (creation.filter(c -> c.getSandboxId().equals(id)).isEmpty()) {
      throw new TtrpcException(StatusCode.NOT_FOUND, "sandbox " + id + ": not found");
    }
  }

  /** From now on it dies when it is asked for this, without an answer. */
  void diesAt(String call) {
    fatal = call;
  }

  private void survive(String call) {
    if (call.equals(fatal)) {
      server.close();
    }
  }

  private CreateSandboxResponse create(CreateSandboxRequest request) {
    if (refusesCreate) {
      throw new TtrpcException(StatusCode.INVALID_ARGUMENT, "not like this: invalid argument");
    }
    creation = Optional.of(request);
    return CreateSandboxResponse.getDefaultInstance();
  }

  private StartSandboxResponse start(StartSandboxRequest request) {
    survive("start");
    known(request.getSandboxId());
    if (refusesStart) {
      throw new TtrpcException(StatusCode.UNKNOWN, "no start today");
    }
    running = true;
    return StartSandboxResponse.newBuilder()
        .setPid(42)
        .setCreatedAt(Times.toApi(BEGAN))
        .setSpec(Any.newBuilder().setTypeUrl("example.com/spec"))
        .build();
  }

  private PlatformResponse platform(PlatformRequest request) {
    known(request.getSandboxId());
    return PlatformResponse.newBuilder()
        .setPlatform(Platform.newBuilder().setOs("linux").setArchitecture("riscv64"))
        .build();
  }

  private StopSandboxResponse stop(StopSandboxRequest request) {
    known(request.getSandboxId());
    asked.add("stop within " + request.getTimeoutSecs());
    running = false;
    stopped.countDown();
    return StopSandboxResponse.getDefaultInstance();
  }

  private WaitSandboxResponse await(WaitSandboxRequest request) throws InterruptedException {
    known(request.getSandboxId());
    asked.add("wait");
    stopped.await();
    return WaitSandboxResponse.newBuilder()
        .setExitStatus(7)
        .setExitedAt(Times.toApi(ENDED))
        .build();
  }

  private SandboxStatusResponse status(SandboxStatusRequest request) {
    known(request.getSandboxId());
    SandboxStatusResponse.Builder answer =
        SandboxStatusResponse.newBuilder()
            .setSandboxId(request.getSandboxId())
            .setPid(running ? 42 : 0)
            .setState(running ? "SANDBOX_READY" : "SANDBOX_NOTREADY")
            .setCreatedAt(Times.toApi(BEGAN));
    if (request.getVerbose()) {
      answer.putInfo("more", "words");
    }
    return answer.build();
  }

  private ShutdownSandboxResponse shutdown(ShutdownSandboxRequest request) {
    asked.add("shutdown");
    survive("shutdown");
    Thread.ofVirtual().start(this::leave);
    known(request.getSandboxId());
    return ShutdownSandboxResponse.getDefaultInstance();
  }

  /** With its answer given. */
  private void leave() {
    try {
      server.shutdown(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private SandboxMetricsResponse metrics(SandboxMetricsRequest request) {
    known(request.getSandboxId());
    return SandboxMetricsResponse.newBuilder()
        .setMetrics(
            Metric.newBuilder()
                .setId(request.getSandboxId())
                .setTimestamp(Times.toApi(ENDED))
                .setData(Any.newBuilder().setTypeUrl("example.com/numbers")))
        .build();
  }

  private CreateTaskResponse createTask(CreateTaskRequest request) {
    tasks.add(request.getId());
    return CreateTaskResponse.newBuilder().setPid(43).build();
  }

  private static ConnectResponse connect() {
    int self = Math.toIntExact(ProcessHandle.current().pid());
    return ConnectResponse.newBuilder().setShimPid(self).setTaskPid(43).build();
  }

  private static PidsResponse pids() {
    return PidsResponse.newBuilder().addProcesses(ProcessInfo.newBuilder().setPid(43)).build();
  }

  private static StateResponse state() {
    return StateResponse.newBuilder().setPid(43).setStatus(Status.RUNNING).build();
  }

  private DeleteResponse deleteTask(DeleteRequest request) {
    if (!tasks.remove(request.getId())) {
      throw new TtrpcException(StatusCode.NOT_FOUND, "task " + request.getId() + ": not found");
    }
    return DeleteResponse.newBuilder().setPid(43).setExitStatus(1).build();
  }

  private Empty shutdownTasks() {
    asked.add("shutdown by a task");
    return Empty.getDefaultInstance();
  }

  /** Ends it without a word to those who wait. */
  void kill() {
    server.close();
  }

  @Override
  public void close() {
    stopped.countDown();
    kill();
  }
}

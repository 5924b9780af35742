package io.jcontainerd.shim;

import com.google.protobuf.Any;
import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.jcontainerd.api.runtime.task.v3.CheckpointTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CloseIORequest;
import io.jcontainerd.api.runtime.task.v3.ConnectRequest;
import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CreateTaskResponse;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.ExecProcessRequest;
import io.jcontainerd.api.runtime.task.v3.KillRequest;
import io.jcontainerd.api.runtime.task.v3.PauseRequest;
import io.jcontainerd.api.runtime.task.v3.PidsRequest;
import io.jcontainerd.api.runtime.task.v3.PidsResponse;
import io.jcontainerd.api.runtime.task.v3.ResizePtyRequest;
import io.jcontainerd.api.runtime.task.v3.ResumeRequest;
import io.jcontainerd.api.runtime.task.v3.ShutdownRequest;
import io.jcontainerd.api.runtime.task.v3.StartRequest;
import io.jcontainerd.api.runtime.task.v3.StartResponse;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.runtime.task.v3.StatsRequest;
import io.jcontainerd.api.runtime.task.v3.StatsResponse;
import io.jcontainerd.api.runtime.task.v3.UpdateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.WaitRequest;
import io.jcontainerd.api.runtime.task.v3.WaitResponse;
import io.jcontainerd.api.types.runc.options.CheckpointOptions;
import io.jcontainerd.api.types.runc.options.ProcessDetails;
import io.jcontainerd.api.types.task.ProcessInfo;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.RunningOperation;
import io.jcontainerd.linux.cgroup.ContainerCgroup;
import io.jcontainerd.linux.process.ExitStatus;
import io.jcontainerd.linux.terminal.Terminals.WindowSize;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.ttrpc.CallContext;
import io.jcontainerd.ttrpc.Metadata;
import io.jcontainerd.ttrpc.TtrpcService;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;

/**
 * containerd's task service: its messages on one side, the {@link Supervisor} on the other. The two
 * versions of the service have the same methods, and messages with the same fields, so one set of
 * handlers serves both names.
 */
final class TaskService {
  private final Supervisor supervisor;
  private final OperationRegistry operations;
  private final Runnable shutdown;

  /**
   * @param operations where what takes long is listed, under the words that the daemon has for it
   * @param shutdown called when a client asks the host to leave and there is no container
   */
  TaskService(Supervisor supervisor, OperationRegistry operations, Runnable shutdown) {
    this.supervisor = supervisor;
    this.operations = operations;
    this.shutdown = shutdown;
  }

  /** The service under both names. */
  List<TtrpcService> services() {
    return List.of(service("containerd.task.v3.Task"), service("containerd.task.v2.Task"));
  }

  private TtrpcService service(String name) {
    return TtrpcService.named(name)
        .unary("State", StateRequest.parser(), this::state)
        .unary("Create", CreateTaskRequest.parser(), listed("create", q -> q.getId(), this::create))
        .unary(
            "Start",
            StartRequest.parser(),
            listed("start", q -> key(q.getId(), q.getExecId()), this::start))
        .unary(
            "Delete",
            DeleteRequest.parser(),
            listed("delete", q -> key(q.getId(), q.getExecId()), this::delete))
        .unary("Pids", PidsRequest.parser(), this::pids)
        .unary("Pause", PauseRequest.parser(), listed("pause", q -> q.getId(), this::pause))
        .unary("Resume", ResumeRequest.parser(), listed("resume", q -> q.getId(), this::resume))
        .unary(
            "Checkpoint",
            CheckpointTaskRequest.parser(),
            listed("checkpoint", q -> q.getId(), this::checkpoint))
        .unary(
            "Kill",
            KillRequest.parser(),
            listed("kill", q -> key(q.getId(), q.getExecId()), this::kill))
        .unary(
            "Exec",
            ExecProcessRequest.parser(),
            listed("exec", q -> key(q.getId(), q.getExecId()), this::exec))
        .unary("ResizePty", ResizePtyRequest.parser(), this::resize)
        .unary("CloseIO", CloseIORequest.parser(), this::closeIo)
        .unary("Update", UpdateTaskRequest.parser(), listed("update", q -> q.getId(), this::update))
        .waiting("Wait", WaitRequest.parser(), this::await)
        .unary("Stats", StatsRequest.parser(), this::stats)
        .unary("Connect", ConnectRequest.parser(), this::connect)
        .unary("Shutdown", ShutdownRequest.parser(), this::shutdown)
        .build();
  }

  private static String key(String id, String execId) {
    return execId.isEmpty() ? id : id + "/" + execId;
  }

  /** A handler whose work is listed, and ends when it is cancelled there. */
  private <Q extends MessageLite, A extends MessageLite> TtrpcService.Handler<Q, A> listed(
      String kind, Function<Q, String> key, TtrpcService.Handler<Q, A> handler) {
    return (request, call) -> {
      try (RunningOperation operation =
          operations.begin(kind, namespace(call), key.apply(request))) {
        operation.cancelledBy(Thread.currentThread()::interrupt);
        return operation.call(() -> handler.handle(request, call));
      }
    };
  }

  private static String namespace(CallContext call) {
    return call.metadata()
        .first(Metadata.NAMESPACE)
        .filter(name -> !name.isEmpty())
        .orElseThrow(() -> new FailedPreconditionException("namespace is required"));
  }

  private Container container(CallContext call, String id) {
    return supervisor.get(namespace(call), id);
  }

  private StateResponse state(StateRequest request, CallContext call) {
    Container container = container(call, request.getId());
    ContainerProcess process = container.process(request.getExecId());
    StateResponse.Builder answer =
        StateResponse.newBuilder()
            .setId(container.id())
            .setBundle(container.bundle().toString())
            .setStdin(process.stdio().stdin())
            .setStdout(process.stdio().stdout())
            .setStderr(process.stdio().stderr())
            .setTerminal(process.stdio().terminal())
            .setExecId(process.execId());
    synchronized (container) {
      answer.setPid(process.pid()).setStatus(status(container.phase(process)));
      process
          .exit()
          .ifPresent(
              exit ->
                  answer
                      .setExitStatus(exit.code())
                      .setExitedAt(EventPublisher.timestamp(exit.at())));
    }
    return answer.build();
  }

  private static Status status(Phase phase) {
    return switch (phase) {
      case CREATED -> Status.CREATED;
      case RUNNING -> Status.RUNNING;
      case PAUSING -> Status.PAUSING;
      case PAUSED -> Status.PAUSED;
      case STOPPED -> Status.STOPPED;
    };
  }

  private CreateTaskResponse create(CreateTaskRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    String namespace = namespace(call);
    Container container =
        supervisor.create(
            new Supervisor.Creation(
                namespace,
                request.getId(),
                Path.of(request.getBundle()),
                request.getRootfsList(),
                new Stdio(
                    request.getStdin(),
                    request.getStdout(),
                    request.getStderr(),
                    request.getTerminal()),
                RuntimeOptions.of(request.getOptions(), namespace),
                request.getCheckpoint()));
    return CreateTaskResponse.newBuilder().setPid(container.init().pid()).build();
  }

  private StartResponse start(StartRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    int pid = supervisor.start(container(call, request.getId()), request.getExecId());
    return StartResponse.newBuilder().setPid(pid).build();
  }

  private DeleteResponse delete(DeleteRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    Supervisor.Deleted deleted =
        supervisor.delete(container(call, request.getId()), request.getExecId());
    DeleteResponse.Builder answer = DeleteResponse.newBuilder().setPid(deleted.pid());
    deleted
        .exit()
        .ifPresent(
            exit ->
                answer.setExitStatus(exit.code()).setExitedAt(EventPublisher.timestamp(exit.at())));
    return answer.build();
  }

  private PidsResponse pids(PidsRequest request, CallContext call) throws IOException {
    PidsResponse.Builder answer = PidsResponse.newBuilder();
    supervisor
        .control()
        .processes(container(call, request.getId()))
        .forEach(
            (pid, execId) -> {
              ProcessInfo.Builder info = ProcessInfo.newBuilder().setPid(pid);
              if (!execId.isEmpty()) {
                info.setInfo(any(ProcessDetails.newBuilder().setExecId(execId).build()));
              }
              answer.addProcesses(info);
            });
    return answer.build();
  }

  private static Any any(com.google.protobuf.Message message) {
    return Any.newBuilder()
        .setTypeUrl(message.getDescriptorForType().getFullName())
        .setValue(message.toByteString())
        .build();
  }

  private Empty pause(PauseRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    supervisor.control().pause(container(call, request.getId()));
    return Empty.getDefaultInstance();
  }

  private Empty resume(ResumeRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    supervisor.control().resume(container(call, request.getId()));
    return Empty.getDefaultInstance();
  }

  private Empty kill(KillRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    supervisor
        .control()
        .kill(
            container(call, request.getId()),
            request.getExecId(),
            request.getSignal(),
            request.getAll());
    return Empty.getDefaultInstance();
  }

  private Empty exec(ExecProcessRequest request, CallContext call) throws IOException {
    if (request.getExecId().isEmpty()) {
      throw new InvalidArgumentException("exec id must not be empty");
    }
    String type = bareType(request.getSpec());
    if (!type.equals(bareType(Spec.PROCESS_TYPE_URL))) {
      throw new InvalidArgumentException("exec " + request.getExecId() + ": spec of type " + type);
    }
    supervisor.exec(
        container(call, request.getId()),
        request.getExecId(),
        new Stdio(
            request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal()),
        JsonObject.parse(request.getSpec().getValue().toByteArray()));
    return Empty.getDefaultInstance();
  }

  private static String bareType(Any any) {
    return bareType(any.getTypeUrl());
  }

  /** The end of the URL after the authority that containerd writes, so that a prefix is allowed. */
  private static String bareType(String url) {
    int at = url.indexOf("opencontainers/");
    return at < 0 ? url : url.substring(at);
  }

  private Empty resize(ResizePtyRequest request, CallContext call) throws IOException {
    WindowSize size;
    try {
      size = new WindowSize(request.getWidth(), request.getHeight());
    } catch (IllegalArgumentException e) {
      throw new InvalidArgumentException(String.valueOf(e.getMessage()), e);
    }
    supervisor.control().resize(container(call, request.getId()), request.getExecId(), size);
    return Empty.getDefaultInstance();
  }

  private Empty closeIo(CloseIORequest request, CallContext call) throws IOException {
    Container container = container(call, request.getId());
    if (request.getStdin()) {
      supervisor.control().closeStdin(container, request.getExecId());
    } else {
      container.process(request.getExecId());
    }
    return Empty.getDefaultInstance();
  }

  private Empty update(UpdateTaskRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    String type = bareType(request.getResources());
    if (!type.equals(bareType(Spec.RESOURCES_TYPE_URL))) {
      throw new InvalidArgumentException("resources of type " + type);
    }
    supervisor
        .control()
        .update(container(call, request.getId()), request.getResources().getValue().toByteArray());
    return Empty.getDefaultInstance();
  }

  private WaitResponse await(WaitRequest request, CallContext call) throws Exception {
    ContainerProcess process = container(call, request.getId()).process(request.getExecId());
    ExitStatus exit;
    try {
      exit = process.exited().get();
    } catch (ExecutionException e) {
      throw e.getCause() instanceof ContainerdException known ? known : e;
    }
    return WaitResponse.newBuilder()
        .setExitStatus(exit.code())
        .setExitedAt(EventPublisher.timestamp(exit.at()))
        .build();
  }

  private StatsResponse stats(StatsRequest request, CallContext call) throws IOException {
    Container container = container(call, request.getId());
    ContainerCgroup cgroup =
        container
            .cgroup()
            .filter(ContainerCgroup::exists)
            .orElseThrow(() -> new NotFoundException("cgroup of container " + container.id()));
    return StatsResponse.newBuilder().setStats(CgroupMetrics.read(cgroup)).build();
  }

  private ConnectResponse connect(ConnectRequest request, CallContext call) {
    Optional<Container> container = supervisor.find(namespace(call), request.getId());
    return ConnectResponse.newBuilder()
        .setShimPid((int) ProcessHandle.current().pid())
        .setTaskPid(container.map(found -> found.init().pid()).orElse(0))
        .build();
  }

  private Empty shutdown(ShutdownRequest request, CallContext call) {
    if (supervisor.count() == 0) {
      shutdown.run();
    }
    return Empty.getDefaultInstance();
  }

  private Empty checkpoint(CheckpointTaskRequest request, CallContext call)
      throws IOException, InterruptedException, OciRuntimeException {
    Container container = container(call, request.getId());
    CheckpointOptions options;
    try {
      options = CheckpointOptions.parseFrom(request.getOptions().getValue());
    } catch (InvalidProtocolBufferException e) {
      throw new InvalidArgumentException("checkpoint options: " + e.getMessage(), e);
    }
    Path image =
        Path.of(options.getImagePath().isEmpty() ? request.getPath() : options.getImagePath());
    if (image.toString().isEmpty()) {
      throw new InvalidArgumentException("checkpoint of container " + container.id() + ": no path");
    }
    supervisor
        .control()
        .checkpoint(
            container,
            new ContainerControl.Checkpointing(
                image, options.getWorkPath(), checkpointFlags(options)));
    return Empty.getDefaultInstance();
  }

  private static List<String> checkpointFlags(CheckpointOptions options) {
    List<String> flags = new ArrayList<>();
    if (!options.getExit()) {
      flags.add("--leave-running");
    }
    if (options.getOpenTcp()) {
      flags.add("--tcp-established");
    }
    if (options.getExternalUnixSockets()) {
      flags.add("--ext-unix-sk");
    }
    if (options.getTerminal()) {
      flags.add("--shell-job");
    }
    if (options.getFileLocks()) {
      flags.add("--file-locks");
    }
    for (String namespace : options.getEmptyNamespacesList()) {
      flags.add("--empty-ns");
      flags.add(namespace);
    }
    if (!options.getCgroupsMode().isEmpty()) {
      flags.add("--manage-cgroups-mode");
      flags.add(options.getCgroupsMode());
    }
    return flags;
  }
}

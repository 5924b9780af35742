package io.jcontainerd.services;

import com.google.protobuf.Empty;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.api.services.tasks.v1.CheckpointTaskRequest;
import io.jcontainerd.api.services.tasks.v1.CheckpointTaskResponse;
import io.jcontainerd.api.services.tasks.v1.CloseIORequest;
import io.jcontainerd.api.services.tasks.v1.CreateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.CreateTaskResponse;
import io.jcontainerd.api.services.tasks.v1.DeleteProcessRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteResponse;
import io.jcontainerd.api.services.tasks.v1.DeleteTaskRequest;
import io.jcontainerd.api.services.tasks.v1.ExecProcessRequest;
import io.jcontainerd.api.services.tasks.v1.GetRequest;
import io.jcontainerd.api.services.tasks.v1.GetResponse;
import io.jcontainerd.api.services.tasks.v1.KillRequest;
import io.jcontainerd.api.services.tasks.v1.ListPidsRequest;
import io.jcontainerd.api.services.tasks.v1.ListPidsResponse;
import io.jcontainerd.api.services.tasks.v1.ListTasksRequest;
import io.jcontainerd.api.services.tasks.v1.ListTasksResponse;
import io.jcontainerd.api.services.tasks.v1.MetricsRequest;
import io.jcontainerd.api.services.tasks.v1.MetricsResponse;
import io.jcontainerd.api.services.tasks.v1.PauseTaskRequest;
import io.jcontainerd.api.services.tasks.v1.ResizePtyRequest;
import io.jcontainerd.api.services.tasks.v1.ResumeTaskRequest;
import io.jcontainerd.api.services.tasks.v1.StartRequest;
import io.jcontainerd.api.services.tasks.v1.StartResponse;
import io.jcontainerd.api.services.tasks.v1.TasksGrpc;
import io.jcontainerd.api.services.tasks.v1.UpdateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.WaitRequest;
import io.jcontainerd.api.services.tasks.v1.WaitResponse;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.wire.Tasks;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * {@code containerd.services.tasks.v1.Tasks}. A task is reached through its container's record:
 * where there is no record, there is no task.
 */
final class TasksService {
  private static final Logger LOG = System.getLogger("io.jcontainerd.services");

  /** Stands for the resources of an update that changes annotations alone. */
  private static final TypedValue NO_RESOURCES =
      new TypedValue(TypedValues.LINUX_RESOURCES, "{}".getBytes(StandardCharsets.UTF_8));

  private final ContainerStore containers;
  private final TaskRuntime runtime;
  private final Checkpoints checkpoints;
  private final TaskMetrics metrics;

  TasksService(ContainerStore containers, TaskRuntime runtime, Checkpoints checkpoints) {
    this.containers = containers;
    this.runtime = runtime;
    this.checkpoints = checkpoints;
    this.metrics = new TaskMetrics(runtime);
  }

  ServerServiceDefinition define(Time time) {
    return new Endpoint(TasksGrpc.getServiceDescriptor(), time)
        .unary(TasksGrpc.getCreateMethod(), this::create)
        .unary(TasksGrpc.getStartMethod(), this::start)
        .unary(TasksGrpc.getDeleteMethod(), this::delete)
        .unary(TasksGrpc.getDeleteProcessMethod(), this::deleteProcess)
        .unary(TasksGrpc.getGetMethod(), this::get)
        .unary(TasksGrpc.getListMethod(), this::list)
        .unary(TasksGrpc.getKillMethod(), this::kill)
        .unary(TasksGrpc.getExecMethod(), this::exec)
        .unary(TasksGrpc.getResizePtyMethod(), this::resizePty)
        .unary(TasksGrpc.getCloseIOMethod(), this::closeIo)
        .unary(TasksGrpc.getPauseMethod(), this::pause)
        .unary(TasksGrpc.getResumeMethod(), this::resume)
        .unary(TasksGrpc.getListPidsMethod(), this::listPids)
        .unary(TasksGrpc.getCheckpointMethod(), this::checkpoint)
        .unary(TasksGrpc.getUpdateMethod(), this::update)
        .unary(TasksGrpc.getMetricsMethod(), this::metrics)
        .unary(TasksGrpc.getWaitMethod(), this::waitFor)
        .build();
  }

  private CreateTaskResponse create(CreateTaskRequest request) throws InterruptedException {
    Container container = containers.get(request.getContainerId());
    int pid =
        request.hasCheckpoint()
            ? checkpoints.restoring(
                Types.toCore(request.getCheckpoint()),
                folder -> runtime.create(createTask(container, request, folder)))
            : runtime.create(createTask(container, request, ""));
    return CreateTaskResponse.newBuilder().setContainerId(container.id()).setPid(pid).build();
  }

  private static CreateTask createTask(
      Container container, CreateTaskRequest request, String checkpoint) {
    return new CreateTask(
        container,
        Types.mountsToCore(request.getRootfsList()),
        new Stdio(
            request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal()),
        TypedValues.toCore(request.hasOptions(), request.getOptions()),
        checkpoint,
        request.getRuntimePath(),
        request.getTaskApiAddress(),
        request.getTaskApiVersion());
  }

  private StartResponse start(StartRequest request) throws InterruptedException {
    String id = known(request.getContainerId());
    return StartResponse.newBuilder().setPid(runtime.start(id, request.getExecId())).build();
  }

  private DeleteResponse delete(DeleteTaskRequest request) throws InterruptedException {
    return Tasks.toApi("", runtime.delete(known(request.getContainerId())));
  }

  private DeleteResponse deleteProcess(DeleteProcessRequest request) throws InterruptedException {
    String id = known(request.getContainerId());
    return Tasks.toApi(request.getExecId(), runtime.deleteProcess(id, execId(request.getExecId())));
  }

  private GetResponse get(GetRequest request) throws InterruptedException {
    String id = known(request.getContainerId());
    return GetResponse.newBuilder()
        .setProcess(Tasks.toApi(process(id, request.getExecId())))
        .build();
  }

  /** A process whose shim answers nonsense is shown as unknown rather than as a failure. */
  private TaskProcess process(String id, String execId) throws InterruptedException {
    try {
      return runtime.get(id, execId);
    } catch (NotFoundException
        | UnavailableException
        | DeadlineExceededException
        | CancelledException e) {
      throw e;
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "task " + id + ": state cannot be told", e);
      return new TaskProcess(id, execId, 0, TaskStatus.UNKNOWN, Stdio.NONE, 0, Optional.empty());
    }
  }

  private ListTasksResponse list(ListTasksRequest request) throws InterruptedException {
    return ListTasksResponse.newBuilder()
        .addAllTasks(runtime.list().stream().map(Tasks::toApi).toList())
        .build();
  }

  private Empty kill(KillRequest request) throws InterruptedException {
    runtime.kill(
        known(request.getContainerId()),
        request.getExecId(),
        request.getSignal(),
        request.getAll());
    return Empty.getDefaultInstance();
  }

  private Empty exec(ExecProcessRequest request) throws InterruptedException {
    String execId = execId(request.getExecId());
    runtime.exec(
        known(request.getContainerId()),
        execId,
        new Stdio(
            request.getStdin(), request.getStdout(), request.getStderr(), request.getTerminal()),
        TypedValues.toCore(request.hasSpec(), request.getSpec())
            .orElseThrow(
                () -> new InvalidArgumentException("exec " + execId + ": spec is required")));
    return Empty.getDefaultInstance();
  }

  private Empty resizePty(ResizePtyRequest request) throws InterruptedException {
    runtime.resizePty(
        known(request.getContainerId()),
        request.getExecId(),
        request.getWidth(),
        request.getHeight());
    return Empty.getDefaultInstance();
  }

  private Empty closeIo(CloseIORequest request) throws InterruptedException {
    String id = known(request.getContainerId());
    if (request.getStdin()) {
      runtime.closeStdin(id, request.getExecId());
    }
    return Empty.getDefaultInstance();
  }

  private Empty pause(PauseTaskRequest request) throws InterruptedException {
    runtime.pause(known(request.getContainerId()));
    return Empty.getDefaultInstance();
  }

  private Empty resume(ResumeTaskRequest request) throws InterruptedException {
    runtime.resume(known(request.getContainerId()));
    return Empty.getDefaultInstance();
  }

  private ListPidsResponse listPids(ListPidsRequest request) throws InterruptedException {
    return ListPidsResponse.newBuilder()
        .addAllProcesses(
            runtime.pids(known(request.getContainerId())).stream().map(Tasks::toApi).toList())
        .build();
  }

  private CheckpointTaskResponse checkpoint(CheckpointTaskRequest request)
      throws InterruptedException {
    Container container = containers.get(request.getContainerId());
    var descriptors =
        checkpoints.take(
            container, TypedValues.toCore(request.hasOptions(), request.getOptions()), runtime);
    return CheckpointTaskResponse.newBuilder()
        .addAllDescriptors(descriptors.stream().map(Types::toApi).toList())
        .build();
  }

  private Empty update(UpdateTaskRequest request) throws InterruptedException {
    runtime.update(
        known(request.getContainerId()),
        TypedValues.toCore(request.hasResources(), request.getResources()).orElse(NO_RESOURCES),
        request.getAnnotationsMap());
    return Empty.getDefaultInstance();
  }

  private MetricsResponse metrics(MetricsRequest request) throws InterruptedException {
    return MetricsResponse.newBuilder()
        .addAllMetrics(
            metrics.read(Filter.any(request.getFiltersList())).stream().map(Tasks::toApi).toList())
        .build();
  }

  private WaitResponse waitFor(WaitRequest request) throws InterruptedException {
    Exit exit = runtime.waitFor(known(request.getContainerId()), request.getExecId());
    return WaitResponse.newBuilder()
        .setExitStatus(exit.status())
        .setExitedAt(Times.toApi(exit.exitedAt()))
        .build();
  }

  private String known(String containerId) {
    return containers.get(containerId).id();
  }

  private static String execId(String id) {
    if (id.isEmpty()) {
      throw new InvalidArgumentException("exec id must not be empty");
    }
    return Identifiers.check(id);
  }
}

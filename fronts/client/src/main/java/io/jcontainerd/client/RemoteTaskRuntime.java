package io.jcontainerd.client;

import io.jcontainerd.api.services.tasks.v1.CheckpointTaskRequest;
import io.jcontainerd.api.services.tasks.v1.CloseIORequest;
import io.jcontainerd.api.services.tasks.v1.CreateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteProcessRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteTaskRequest;
import io.jcontainerd.api.services.tasks.v1.ExecProcessRequest;
import io.jcontainerd.api.services.tasks.v1.GetRequest;
import io.jcontainerd.api.services.tasks.v1.KillRequest;
import io.jcontainerd.api.services.tasks.v1.ListPidsRequest;
import io.jcontainerd.api.services.tasks.v1.ListTasksRequest;
import io.jcontainerd.api.services.tasks.v1.MetricsRequest;
import io.jcontainerd.api.services.tasks.v1.PauseTaskRequest;
import io.jcontainerd.api.services.tasks.v1.ResizePtyRequest;
import io.jcontainerd.api.services.tasks.v1.ResumeTaskRequest;
import io.jcontainerd.api.services.tasks.v1.StartRequest;
import io.jcontainerd.api.services.tasks.v1.TasksGrpc;
import io.jcontainerd.api.services.tasks.v1.TasksGrpc.TasksBlockingV2Stub;
import io.jcontainerd.api.services.tasks.v1.UpdateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.WaitRequest;
import io.jcontainerd.api.services.tasks.v1.WaitResponse;
import io.jcontainerd.api.types.runc.options.CheckpointOptions;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.wire.Tasks;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The daemon's tasks. Safe for many threads. */
public final class RemoteTaskRuntime implements TaskRuntime {
  private final TasksBlockingV2Stub stub;
  private final RemoteIntrospection introspection;

  RemoteTaskRuntime(Connection connection) {
    this.stub = TasksGrpc.newBlockingV2Stub(connection.channel());
    this.introspection = new RemoteIntrospection(connection);
  }

  @Override
  public int create(CreateTask task) throws InterruptedException {
    if (!task.checkpoint().isEmpty()) {
      throw new NotImplementedException(
          "task " + task.container().id() + ": a daemon restores from its own content only");
    }
    CreateTaskRequest.Builder request =
        CreateTaskRequest.newBuilder()
            .setContainerId(task.container().id())
            .addAllRootfs(Types.mountsToApi(task.rootfs()))
            .setStdin(task.stdio().stdin())
            .setStdout(task.stdio().stdout())
            .setStderr(task.stdio().stderr())
            .setTerminal(task.stdio().terminal())
            .setRuntimePath(task.runtimePath())
            .setTaskApiAddress(task.taskApiAddress())
            .setTaskApiVersion(task.taskApiVersion());
    task.options().map(TypedValues::toApi).ifPresent(request::setOptions);
    return Connection.sendInterruptibly(() -> stub.create(request.build())).getPid();
  }

  @Override
  public int start(String containerId, String execId) throws InterruptedException {
    StartRequest request =
        StartRequest.newBuilder().setContainerId(containerId).setExecId(execId).build();
    return Connection.sendInterruptibly(() -> stub.start(request)).getPid();
  }

  @Override
  public Exit delete(String containerId) throws InterruptedException {
    DeleteTaskRequest request = DeleteTaskRequest.newBuilder().setContainerId(containerId).build();
    return Tasks.toCore(Connection.sendInterruptibly(() -> stub.delete(request)));
  }

  @Override
  public Exit deleteProcess(String containerId, String execId) throws InterruptedException {
    DeleteProcessRequest request =
        DeleteProcessRequest.newBuilder().setContainerId(containerId).setExecId(execId).build();
    return Tasks.toCore(Connection.sendInterruptibly(() -> stub.deleteProcess(request)));
  }

  @Override
  public TaskProcess get(String containerId, String execId) throws InterruptedException {
    GetRequest request =
        GetRequest.newBuilder().setContainerId(containerId).setExecId(execId).build();
    return Tasks.toCore(
        containerId, Connection.sendInterruptibly(() -> stub.get(request)).getProcess());
  }

  @Override
  public List<TaskProcess> list() throws InterruptedException {
    return Connection.sendInterruptibly(() -> stub.list(ListTasksRequest.getDefaultInstance()))
        .getTasksList()
        .stream()
        .map(p -> Tasks.toCore(p.getContainerId().isEmpty() ? p.getId() : p.getContainerId(), p))
        .toList();
  }

  @Override
  public void kill(String containerId, String execId, int signal, boolean all)
      throws InterruptedException {
    KillRequest request =
        KillRequest.newBuilder()
            .setContainerId(containerId)
            .setExecId(execId)
            .setSignal(signal)
            .setAll(all)
            .build();
    Connection.sendInterruptibly(() -> stub.kill(request));
  }

  @Override
  public void exec(String containerId, String execId, Stdio stdio, TypedValue spec)
      throws InterruptedException {
    ExecProcessRequest request =
        ExecProcessRequest.newBuilder()
            .setContainerId(containerId)
            .setExecId(execId)
            .setStdin(stdio.stdin())
            .setStdout(stdio.stdout())
            .setStderr(stdio.stderr())
            .setTerminal(stdio.terminal())
            .setSpec(TypedValues.toApi(spec))
            .build();
    Connection.sendInterruptibly(() -> stub.exec(request));
  }

  @Override
  public void resizePty(String containerId, String execId, int width, int height)
      throws InterruptedException {
    ResizePtyRequest request =
        ResizePtyRequest.newBuilder()
            .setContainerId(containerId)
            .setExecId(execId)
            .setWidth(width)
            .setHeight(height)
            .build();
    Connection.sendInterruptibly(() -> stub.resizePty(request));
  }

  @Override
  public void closeStdin(String containerId, String execId) throws InterruptedException {
    CloseIORequest request =
        CloseIORequest.newBuilder()
            .setContainerId(containerId)
            .setExecId(execId)
            .setStdin(true)
            .build();
    Connection.sendInterruptibly(() -> stub.closeIO(request));
  }

  @Override
  public void pause(String containerId) throws InterruptedException {
    PauseTaskRequest request = PauseTaskRequest.newBuilder().setContainerId(containerId).build();
    Connection.sendInterruptibly(() -> stub.pause(request));
  }

  @Override
  public void resume(String containerId) throws InterruptedException {
    ResumeTaskRequest request = ResumeTaskRequest.newBuilder().setContainerId(containerId).build();
    Connection.sendInterruptibly(() -> stub.resume(request));
  }

  @Override
  public List<Pid> pids(String containerId) throws InterruptedException {
    ListPidsRequest request = ListPidsRequest.newBuilder().setContainerId(containerId).build();
    return Connection.sendInterruptibly(() -> stub.listPids(request)).getProcessesList().stream()
        .map(Tasks::toCore)
        .toList();
  }

  @Override
  public void checkpoint(String containerId, String path, Optional<TypedValue> options)
      throws InterruptedException {
    CheckpointOptions base =
        options
            .map(
                o ->
                    TypedValues.unpack(
                        o,
                        CheckpointOptions.getDescriptor().getFullName(),
                        CheckpointOptions.parser()))
            .orElse(CheckpointOptions.getDefaultInstance());
    CheckpointTaskRequest request =
        CheckpointTaskRequest.newBuilder()
            .setContainerId(containerId)
            .setOptions(TypedValues.packApi(base.toBuilder().setImagePath(path).build()))
            .build();
    Connection.sendInterruptibly(() -> stub.checkpoint(request));
  }

  @Override
  public void update(String containerId, TypedValue resources, Map<String, String> annotations)
      throws InterruptedException {
    UpdateTaskRequest request =
        UpdateTaskRequest.newBuilder()
            .setContainerId(containerId)
            .setResources(TypedValues.toApi(resources))
            .putAllAnnotations(annotations)
            .build();
    Connection.sendInterruptibly(() -> stub.update(request));
  }

  @Override
  public Metrics metrics(String containerId) throws InterruptedException {
    MetricsRequest request = MetricsRequest.newBuilder().addFilters("id==" + containerId).build();
    return Connection.sendInterruptibly(() -> stub.metrics(request)).getMetricsList().stream()
        .findFirst()
        .map(Tasks::toCore)
        .orElseThrow(() -> new NotFoundException("metrics of task " + containerId));
  }

  @Override
  public Exit waitFor(String containerId, String execId) throws InterruptedException {
    WaitRequest request =
        WaitRequest.newBuilder().setContainerId(containerId).setExecId(execId).build();
    WaitResponse reply = Connection.sendInterruptibly(() -> stub.wait(request));
    return new Exit(0, reply.getExitStatus(), Times.toCore(reply.getExitedAt()));
  }

  @Override
  public TypedValue runtimeInfo(Optional<TypedValue> request) {
    return introspection.info("io.containerd.runtime.v2", "task", request);
  }
}

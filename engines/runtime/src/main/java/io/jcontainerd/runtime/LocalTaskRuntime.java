package io.jcontainerd.runtime;

import com.google.protobuf.Empty;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.jcontainerd.api.runtime.task.v3.CheckpointTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CloseIORequest;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.ExecProcessRequest;
import io.jcontainerd.api.runtime.task.v3.KillRequest;
import io.jcontainerd.api.runtime.task.v3.PauseRequest;
import io.jcontainerd.api.runtime.task.v3.PidsRequest;
import io.jcontainerd.api.runtime.task.v3.PidsResponse;
import io.jcontainerd.api.runtime.task.v3.ResizePtyRequest;
import io.jcontainerd.api.runtime.task.v3.ResumeRequest;
import io.jcontainerd.api.runtime.task.v3.StartRequest;
import io.jcontainerd.api.runtime.task.v3.StartResponse;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.runtime.task.v3.StatsRequest;
import io.jcontainerd.api.runtime.task.v3.StatsResponse;
import io.jcontainerd.api.runtime.task.v3.UpdateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.WaitRequest;
import io.jcontainerd.api.runtime.task.v3.WaitResponse;
import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.api.types.RuntimeRequest;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Identifiers;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskProcess;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.Limits;
import io.jcontainerd.runtime.shim.SandboxEndpoints;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimLauncher;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Tasks on this machine, each kept by a shim. The daemon holds names and connections only; whatever
 * lives does so in and below the shims, and is found again by {@link #recover}.
 *
 * <p>No lock is held while a shim is asked. Requests for one process are put in order by its shim;
 * a task's name is taken before anything is made and given back after everything is removed.
 */
public final class LocalTaskRuntime implements TaskRuntime, AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");

  /** The runtime of containers that name none. */
  public static final String DEFAULT_RUNTIME = "io.containerd.runc.v2";

  private static final String RUNTIME_INFO = "containerd.types.RuntimeInfo";
  private static final String RUNTIME_REQUEST = "containerd.types.RuntimeRequest";

  private final TaskTable tasks = new TaskTable();
  private final Bundles bundles;
  private final Launchers launchers;
  private final Timeouts timeouts;
  private final TaskEnd end;
  private final TaskCreation creation;
  private final TaskRecovery recovery;
  private final ExitWatch exits;
  private final TaskWork work;

  /**
   * A runtime without tasks yet.
   *
   * @param launchers the ways of having shims, in order; the last one fits every runtime
   * @param processes to end shims that do not end themselves
   */
  public LocalTaskRuntime(
      Bundles bundles,
      List<ShimLauncher> launchers,
      Processes processes,
      EventExchange exchange,
      Timeouts timeouts) {
    this(
        bundles,
        launchers,
        processes,
        exchange,
        Optional.empty(),
        SandboxEndpoints.NONE,
        new OperationRegistry(),
        timeouts);
  }

  /**
   * The same for roots that need a mount manager and containers of sandboxes.
   *
   * @param mounts for mounts that neither the kernel nor a runtime does by itself
   * @param sandboxes those whose shims serve the tasks of their containers
   * @param operations where everything that is done is listed
   */
  public LocalTaskRuntime(
      Bundles bundles,
      List<ShimLauncher> launchers,
      Processes processes,
      EventExchange exchange,
      Optional<MountManager> mounts,
      SandboxEndpoints sandboxes,
      OperationRegistry operations,
      Timeouts timeouts) {
    this.bundles = bundles;
    this.launchers = new Launchers(launchers);
    this.timeouts = timeouts;
    var events = new TaskEvents(exchange);
    var roots = new TaskMounts(mounts);
    this.end = new TaskEnd(tasks, bundles, roots, processes, events, timeouts);
    this.creation =
        new TaskCreation(
            tasks, bundles, this.launchers, roots, end, sandboxes, timeouts, DEFAULT_RUNTIME);
    this.work = new TaskWork(operations, tasks, end, timeouts);
    this.exits = new ExitWatch(tasks, bundles, exchange, events);
    this.recovery = new TaskRecovery(tasks, bundles, this.launchers, end, exits, timeouts);
  }

  /**
   * Finds the tasks of an earlier daemon again, all shims at the same time and each within its
   * limits, and clears up after those that are dead. To be called once, before the first request.
   *
   * @param runtimeOf the runtime's name in a container's record, for bundles that do not name their
   *     shim's program
   */
  public void recover(RuntimeNames runtimeOf) throws InterruptedException {
    exits.start();
    recovery.run(runtimeOf);
  }

  /** Looks a container's runtime up. */
  @FunctionalInterface
  public interface RuntimeNames {
    /** The runtime's name, if there is such a container. */
    Optional<String> find(String namespace, String containerId);
  }

  /** Lets go of all shims; the tasks live on. */
  @Override
  public void close() {
    exits.close();
    for (Task task : tasks.all()) {
      // claimed, so that the end of the connection is not taken for the end of the shim
      if (task.claim(Task.Stage.LIVE)) {
        task.shim().ifPresent(Shim::close);
      }
    }
  }

  @Override
  public int create(CreateTask request) throws InterruptedException {
    return work.create(request, (operation, begun) -> creation.create(request, operation, begun));
  }

  @Override
  public int start(String containerId, String execId) throws InterruptedException {
    Task task = task(containerId);
    StartRequest request = StartRequest.newBuilder().setId(containerId).setExecId(execId).build();
    return work.change(
        task,
        "start",
        execId,
        request,
        operation -> {
          int pid = work.ask(operation, task, "Start", request, StartResponse.parser()).getPid();
          if (execId.isEmpty()) {
            task.pid(pid);
            bundles.deleteCheckpoint(task.bundle());
          }
          return pid;
        });
  }

  @Override
  public Exit delete(String containerId) throws InterruptedException {
    work.unwanted(containerId);
    Task task =
        tasks
            .find(Call.currentNamespace(), containerId)
            .or(() -> work.deleted(containerId))
            .orElseGet(() -> task(containerId));
    return work.change(task, "delete", "", "", operation -> end.delete(task, operation));
  }

  @Override
  public Exit deleteProcess(String containerId, String execId) throws InterruptedException {
    if (execId.isEmpty()) {
      throw new InvalidArgumentException("exec id is empty");
    }
    Task task = task(containerId);
    DeleteRequest request = DeleteRequest.newBuilder().setId(containerId).setExecId(execId).build();
    return work.change(
        task,
        "delete",
        execId,
        request,
        operation ->
            TaskEnd.exit(work.ask(operation, task, "Delete", request, DeleteResponse.parser())));
  }

  @Override
  public TaskProcess get(String containerId, String execId) throws InterruptedException {
    Task task = task(containerId);
    try {
      return process(task, execId, state(task, execId));
    } catch (NotFoundException | UnavailableException | DeadlineExceededException e) {
      throw e;
    } catch (ContainerdException e) {
      LOG.log(Level.WARNING, "state of task " + task.namespace() + "/" + containerId, e);
      return new TaskProcess(
          containerId, execId, 0, TaskStatus.UNKNOWN, Stdio.NONE, 0, Optional.empty());
    }
  }

  private StateResponse state(Task task, String execId) throws InterruptedException {
    return shim(task)
        .call(
            task.namespace(),
            "State",
            StateRequest.newBuilder().setId(task.id()).setExecId(execId).build(),
            StateResponse.parser(),
            Optional.of(Limits.atMost(timeouts.taskState())));
  }

  /** Not every shim repeats which exec it was asked for. */
  private static TaskProcess process(Task task, String execId, StateResponse state) {
    TaskStatus status =
        switch (state.getStatus()) {
          case CREATED -> TaskStatus.CREATED;
          case RUNNING -> TaskStatus.RUNNING;
          case STOPPED -> TaskStatus.STOPPED;
          case PAUSED -> TaskStatus.PAUSED;
          case PAUSING -> TaskStatus.PAUSING;
          case UNKNOWN, UNRECOGNIZED -> TaskStatus.UNKNOWN;
        };
    Optional<Instant> exitedAt =
        Times.toCore(status == TaskStatus.STOPPED && state.hasExitedAt(), state.getExitedAt());
    return new TaskProcess(
        task.id(),
        execId,
        state.getPid(),
        status,
        new Stdio(state.getStdin(), state.getStdout(), state.getStderr(), state.getTerminal()),
        state.getExitStatus(),
        exitedAt);
  }

  @Override
  public List<TaskProcess> list() throws InterruptedException {
    List<Task> asked = tasks.in(Call.currentNamespace());
    List<TaskProcess> answers = new ArrayList<>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<StateResponse>> states = new ArrayList<>();
      for (Task task : asked) {
        states.add(threads.submit(Call.carrying(() -> state(task, ""))));
      }
      try {
        for (int i = 0; i < asked.size(); i++) {
          try {
            // every shim has the same deadline
            answers.add(process(asked.get(i), "", states.get(i).get()));
          } catch (ExecutionException e) {
            LOG.log(Level.WARNING, "task " + asked.get(i).id() + " left out of a list", e);
          }
        }
      } finally {
        states.forEach(s -> s.cancel(true));
      }
    }
    return List.copyOf(answers);
  }

  @Override
  public void kill(String containerId, String execId, int signal, boolean all)
      throws InterruptedException {
    tell(
        containerId,
        execId,
        "Kill",
        KillRequest.newBuilder()
            .setId(containerId)
            .setExecId(execId)
            .setSignal(signal)
            .setAll(all)
            .build());
  }

  @Override
  public void exec(String containerId, String execId, Stdio stdio, TypedValue spec)
      throws InterruptedException {
    Identifiers.check(execId);
    ExecProcessRequest request =
        ExecProcessRequest.newBuilder()
            .setId(containerId)
            .setExecId(execId)
            .setTerminal(stdio.terminal())
            .setStdin(stdio.stdin())
            .setStdout(stdio.stdout())
            .setStderr(stdio.stderr())
            .setSpec(TypedValues.toApi(spec))
            .build();
    Task task = task(containerId);
    var _ =
        work.change(
            task,
            "exec",
            execId,
            request,
            operation -> work.ask(operation, task, "Exec", request, Empty.parser()));
  }

  @Override
  public void resizePty(String containerId, String execId, int width, int height)
      throws InterruptedException {
    tell(
        containerId,
        execId,
        "ResizePty",
        ResizePtyRequest.newBuilder()
            .setId(containerId)
            .setExecId(execId)
            .setWidth(width)
            .setHeight(height)
            .build());
  }

  @Override
  public void closeStdin(String containerId, String execId) throws InterruptedException {
    tell(
        containerId,
        execId,
        "CloseIO",
        CloseIORequest.newBuilder().setId(containerId).setExecId(execId).setStdin(true).build());
  }

  @Override
  public void pause(String containerId) throws InterruptedException {
    tell(containerId, "", "Pause", PauseRequest.newBuilder().setId(containerId).build());
  }

  @Override
  public void resume(String containerId) throws InterruptedException {
    tell(containerId, "", "Resume", ResumeRequest.newBuilder().setId(containerId).build());
  }

  @Override
  public List<Pid> pids(String containerId) throws InterruptedException {
    Task task = task(containerId);
    PidsResponse response =
        shim(task)
            .call(
                task.namespace(),
                "Pids",
                PidsRequest.newBuilder().setId(containerId).build(),
                PidsResponse.parser(),
                Optional.of(Limits.atMost(timeouts.operation())));
    return response.getProcessesList().stream()
        .map(
            p ->
                new Pid(
                    p.getPid(),
                    p.hasInfo() ? Optional.of(TypedValues.toCore(p.getInfo())) : Optional.empty()))
        .toList();
  }

  @Override
  public void checkpoint(String containerId, String path, Optional<TypedValue> options)
      throws InterruptedException {
    CheckpointTaskRequest.Builder request =
        CheckpointTaskRequest.newBuilder().setId(containerId).setPath(path);
    options.ifPresent(o -> request.setOptions(TypedValues.toApi(o)));
    tell(containerId, "", "Checkpoint", request.build());
  }

  @Override
  public void update(String containerId, TypedValue resources, Map<String, String> annotations)
      throws InterruptedException {
    tell(
        containerId,
        "",
        "Update",
        UpdateTaskRequest.newBuilder()
            .setId(containerId)
            .setResources(TypedValues.toApi(resources))
            .putAllAnnotations(annotations)
            .build());
  }

  @Override
  public Metrics metrics(String containerId) throws InterruptedException {
    Task task = task(containerId);
    StatsResponse response =
        shim(task)
            .call(
                task.namespace(),
                "Stats",
                StatsRequest.newBuilder().setId(containerId).build(),
                StatsResponse.parser(),
                Optional.of(Limits.atMost(timeouts.shimStats())));
    return new Metrics(containerId, Instant.now(), TypedValues.toCore(response.getStats()));
  }

  @Override
  public Exit waitFor(String containerId, String execId) throws InterruptedException {
    Task task = task(containerId);
    work.wanted(task);
    int pid = execId.isEmpty() ? task.pid() : state(task, execId).getPid();
    while (true) {
      Shim asked = shim(task);
      try {
        WaitResponse response =
            asked.call(
                task.namespace(),
                "Wait",
                WaitRequest.newBuilder().setId(containerId).setExecId(execId).build(),
                WaitResponse.parser(),
                Limits.ofCaller());
        return new Exit(pid, response.getExitStatus(), Times.toCore(response.getExitedAt()));
      } catch (UnavailableException e) {
        if (!Shim.isLost(e)) {
          throw e;
        }
        Optional<Exit> made = end.afterLoss(task, asked, e);
        if (made.isPresent()) {
          if (execId.isEmpty()) {
            return made.get();
          }
          throw e;
        }
      }
    }
  }

  @Override
  public TypedValue runtimeInfo(Optional<TypedValue> request) throws InterruptedException {
    String runtime = DEFAULT_RUNTIME;
    Optional<TypedValue> options = Optional.empty();
    if (request.isPresent()) {
      if (!request.get().typeName().equals(RUNTIME_REQUEST)) {
        throw new InvalidArgumentException(
            "options of type " + request.get().typeName() + ", expected " + RUNTIME_REQUEST);
      }
      try {
        RuntimeRequest wanted = RuntimeRequest.parseFrom(request.get().value());
        runtime = wanted.getRuntimePath().isEmpty() ? runtime : wanted.getRuntimePath();
        options =
            wanted.hasOptions()
                ? Optional.of(TypedValues.toCore(wanted.getOptions()))
                : Optional.empty();
      } catch (InvalidProtocolBufferException e) {
        throw new InvalidArgumentException("runtime request: " + e.getMessage(), e);
      }
    }
    RuntimeInfo info =
        launchers.forRuntime(runtime).info(runtime, options, Limits.atMost(timeouts.shimStart()));
    return new TypedValue(RUNTIME_INFO, info.toByteArray());
  }

  private Task task(String containerId) {
    return tasks.live(Call.currentNamespace(), containerId);
  }

  private static Shim shim(Task task) {
    return task.shim().orElseThrow();
  }

  /** Has the shim do something that has no answer. */
  private void tell(String containerId, String execId, String method, MessageLite request)
      throws InterruptedException {
    Task task = task(containerId);
    var _ =
        work.alone(
            task,
            method.toLowerCase(Locale.ROOT),
            execId,
            operation -> work.ask(operation, task, method, request, Empty.parser()));
  }
}

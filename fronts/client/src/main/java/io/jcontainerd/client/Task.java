package io.jcontainerd.client;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The running side of a container, and its first process. Several threads may use it. */
public final class Task extends TaskProcessHandle {
  private static final int SIGKILL = 9;
  private static final Duration DEATH = Duration.ofMinutes(2);

  private final Containerd client;

  Task(Containerd client, String containerId) {
    super(client.tasks(), containerId, "");
    this.client = client;
  }

  /**
   * Creates the task from the container's record; its first process exists then but does not run.
   *
   * @param streams of the process; see {@link ProcessIo}
   */
  public Task create(ProcessIo streams) throws InterruptedException {
    Container container = client.containers().get(containerId());
    List<Mount> rootfs =
        container.snapshotKey().isEmpty()
            ? List.of()
            : client.snapshotter(container.snapshotter()).mounts(container.snapshotKey());
    runtime()
        .create(
            new CreateTask(container, rootfs, streams.stdio(), Optional.empty(), "", "", "", 0));
    attach(streams);
    return this;
  }

  /**
   * Adds a process like the first one, with other arguments. It does not run before it is started.
   *
   * @param id its name
   */
  public TaskProcessHandle exec(String id, ProcessIo streams, List<String> args)
      throws InterruptedException {
    Spec spec = spec();
    JsonObject process =
        spec.json()
            .object("process")
            .orElseThrow(
                () ->
                    new FailedPreconditionException(
                        "container " + containerId() + ": its spec has no process"))
            .with("args", JsonArray.ofStrings(args))
            .with("terminal", streams.stdio().terminal());
    return exec(id, streams, process);
  }

  /**
   * Adds a process.
   *
   * @param process an OCI {@code process} object
   */
  public TaskProcessHandle exec(String id, ProcessIo streams, JsonObject process)
      throws InterruptedException {
    if (id.isEmpty()) {
      throw new InvalidArgumentException("exec id must not be empty");
    }
    runtime()
        .exec(
            containerId(),
            id,
            streams.stdio(),
            new TypedValue(Spec.PROCESS_TYPE_URL, process.toBytes()));
    TaskProcessHandle handle = new TaskProcessHandle(runtime(), containerId(), id);
    handle.attach(streams);
    return handle;
  }

  /** The container's specification. */
  public Spec spec() {
    return client
        .containers()
        .get(containerId())
        .spec()
        .map(s -> Spec.parse(s.value()))
        .orElseThrow(
            () -> new FailedPreconditionException("container " + containerId() + " has no spec"));
  }

  /** Freezes all processes. */
  public void pause() throws InterruptedException {
    runtime().pause(containerId());
  }

  /** Thaws them. */
  public void resume() throws InterruptedException {
    runtime().resume(containerId());
  }

  /** All process ids of the container, as on the host. */
  public List<Integer> pids() throws InterruptedException {
    return runtime().pids(containerId()).stream().map(TaskRuntime.Pid::pid).toList();
  }

  /** What it uses, as the cgroup metrics message of the host's kind. */
  public TaskRuntime.Metrics metrics() throws InterruptedException {
    return runtime().metrics(containerId());
  }

  /**
   * Changes limits.
   *
   * @param resources an OCI {@code linux.resources} object
   */
  public void update(JsonObject resources) throws InterruptedException {
    runtime()
        .update(
            containerId(), new TypedValue(Spec.RESOURCES_TYPE_URL, resources.toBytes()), Map.of());
  }

  /** Sends a signal to every process of the container. */
  public void killAll(int signal) throws InterruptedException {
    runtime().kill(containerId(), "", signal, true);
  }

  /**
   * Ends it whatever it does, and forgets it. One that is not there is gone already.
   *
   * @throws DeadlineExceededException if it does not die, its kernel being busy with it
   */
  public Optional<Exit> destroy() throws InterruptedException {
    try {
      if (status().status() == TaskStatus.PAUSED) {
        resume(); // what is frozen does not die
      }
      try {
        killAll(SIGKILL);
      } catch (NotFoundException | FailedPreconditionException _) {
        // it has ended, or never ran: deleting will do
      }
      if (status().status() == TaskStatus.RUNNING) {
        awaitDeath();
      }
      return Optional.of(delete());
    } catch (NotFoundException _) {
      return Optional.empty();
    }
  }

  private void awaitDeath() throws InterruptedException {
    Call call = Call.current();
    Instant end = Instant.now().plus(DEATH);
    Exit _ = new Call(call.namespaceHeader(), call.lease(), Optional.of(end)).call(this::waitFor);
  }
}

package io.jcontainerd.bench;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import io.grpc.Channel;
import io.jcontainerd.api.services.containers.v1.Container;
import io.jcontainerd.api.services.containers.v1.ContainersGrpc;
import io.jcontainerd.api.services.containers.v1.CreateContainerRequest;
import io.jcontainerd.api.services.containers.v1.DeleteContainerRequest;
import io.jcontainerd.api.services.snapshots.v1.Info;
import io.jcontainerd.api.services.snapshots.v1.Kind;
import io.jcontainerd.api.services.snapshots.v1.ListSnapshotsRequest;
import io.jcontainerd.api.services.snapshots.v1.PrepareSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.RemoveSnapshotRequest;
import io.jcontainerd.api.services.snapshots.v1.SnapshotsGrpc;
import io.jcontainerd.api.services.tasks.v1.CreateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteProcessRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteTaskRequest;
import io.jcontainerd.api.services.tasks.v1.ExecProcessRequest;
import io.jcontainerd.api.services.tasks.v1.KillRequest;
import io.jcontainerd.api.services.tasks.v1.StartRequest;
import io.jcontainerd.api.services.tasks.v1.TasksGrpc;
import io.jcontainerd.api.services.tasks.v1.WaitRequest;
import io.jcontainerd.api.services.version.v1.VersionGrpc;
import io.jcontainerd.api.types.Mount;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A connection to a daemon, in one namespace; for many threads. */
final class Api implements AutoCloseable {
  private static final String SNAPSHOTTER = "overlayfs";
  private static final String SPEC = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
  private static final String PROCESS = "types.containerd.io/opencontainers/runtime-spec/1/Process";
  private static final int SIGKILL = 9;
  private static final long DEADLINE_SECONDS = 60;

  private final Connection connection;
  private final Channel named;
  private final Set<String> made = ConcurrentHashMap.newKeySet();

  Api(Path socket, String namespace) {
    connection = new Connection(socket, namespace);
    named = connection.channel();
  }

  private TasksGrpc.TasksBlockingStub tasks() {
    return TasksGrpc.newBlockingStub(named).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private SnapshotsGrpc.SnapshotsBlockingStub snapshots() {
    return SnapshotsGrpc.newBlockingStub(named)
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  String version() {
    return VersionGrpc.newBlockingStub(named)
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .version(Empty.getDefaultInstance())
        .getVersion();
  }

  /** The only committed snapshot that the imported image has. */
  String layer() {
    var infos =
        snapshots().list(ListSnapshotsRequest.newBuilder().setSnapshotter(SNAPSHOTTER).build());
    while (infos.hasNext()) {
      for (Info info : infos.next().getInfoList()) {
        if (info.getKind() == Kind.COMMITTED) {
          return info.getName();
        }
      }
    }
    throw new IllegalStateException("the image was not unpacked");
  }

  /** Makes a container's records and its task, which is not started yet. */
  void create(String id, String layer, String spec) {
    task(id, records(id, layer, spec), "");
  }

  /** Makes a container's snapshot and record; answers what its task's root is mounted from. */
  List<Mount> records(String id, String layer, String spec) {
    made.add(id);
    var mounts =
        snapshots()
            .prepare(
                PrepareSnapshotRequest.newBuilder()
                    .setSnapshotter(SNAPSHOTTER)
                    .setKey(id)
                    .setParent(layer)
                    .putLabels("containerd.io/gc.root", "bench")
                    .build())
            .getMountsList();
    ContainersGrpc.newBlockingStub(named)
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .create(
            CreateContainerRequest.newBuilder()
                .setContainer(
                    Container.newBuilder()
                        .setId(id)
                        .setSnapshotter(SNAPSHOTTER)
                        .setSnapshotKey(id)
                        .setRuntime(Container.Runtime.newBuilder().setName("io.containerd.runc.v2"))
                        .setSpec(any(SPEC, spec)))
                .build());
    return mounts;
  }

  /** Makes the task of a container whose output goes to a FIFO, or nowhere if that is empty. */
  void task(String id, List<Mount> mounts, String output) {
    tasks()
        .create(
            CreateTaskRequest.newBuilder()
                .setContainerId(id)
                .addAllRootfs(mounts)
                .setStdout(output)
                .setStderr(output) // with one of them alone theirs fails
                .build());
  }

  /** Has every exit of a container's first process told from now on, as it comes. */
  ExitEvents exits() {
    return ExitEvents.subscribe(named);
  }

  void start(String id) {
    tasks().start(StartRequest.newBuilder().setContainerId(id).build());
  }

  int await(String id) {
    return tasks().wait(WaitRequest.newBuilder().setContainerId(id).build()).getExitStatus();
  }

  void kill(String id) {
    tasks().kill(KillRequest.newBuilder().setContainerId(id).setSignal(SIGKILL).build());
  }

  /** Removes a stopped task and its records. */
  void delete(String id) {
    tasks().delete(DeleteTaskRequest.newBuilder().setContainerId(id).build());
    ContainersGrpc.newBlockingStub(named)
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .delete(DeleteContainerRequest.newBuilder().setId(id).build());
    snapshots()
        .remove(RemoveSnapshotRequest.newBuilder().setSnapshotter(SNAPSHOTTER).setKey(id).build());
    made.remove(id);
  }

  /** The containers that were made and not deleted. */
  List<String> left() {
    return List.copyOf(made);
  }

  /** Runs a further process to its end. */
  int exec(String id, String execId, String process) {
    tasks()
        .exec(
            ExecProcessRequest.newBuilder()
                .setContainerId(id)
                .setExecId(execId)
                .setSpec(any(PROCESS, process))
                .build());
    tasks().start(StartRequest.newBuilder().setContainerId(id).setExecId(execId).build());
    int status =
        tasks()
            .wait(WaitRequest.newBuilder().setContainerId(id).setExecId(execId).build())
            .getExitStatus();
    tasks()
        .deleteProcess(
            DeleteProcessRequest.newBuilder().setContainerId(id).setExecId(execId).build());
    return status;
  }

  private static Any any(String type, String json) {
    return Any.newBuilder().setTypeUrl(type).setValue(ByteString.copyFromUtf8(json)).build();
  }

  @Override
  public void close() {
    connection.close();
  }
}

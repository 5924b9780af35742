package io.jcontainerd.services;

import static io.jcontainerd.services.GrpcFailures.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.jcontainerd.api.services.tasks.v1.CheckpointTaskRequest;
import io.jcontainerd.api.services.tasks.v1.CloseIORequest;
import io.jcontainerd.api.services.tasks.v1.CreateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteProcessRequest;
import io.jcontainerd.api.services.tasks.v1.DeleteResponse;
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
import io.jcontainerd.api.services.tasks.v1.UpdateTaskRequest;
import io.jcontainerd.api.services.tasks.v1.WaitRequest;
import io.jcontainerd.api.types.Metric;
import io.jcontainerd.api.types.Mount;
import io.jcontainerd.api.types.runc.options.CheckpointOptions;
import io.jcontainerd.api.types.task.Process;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.testkit.memory.InMemoryContainerStore;
import io.jcontainerd.testkit.memory.InMemoryContentStore;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import io.jcontainerd.wire.Types;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class TasksServiceTest {
  private static final Any OPTIONS =
      Any.newBuilder().setTypeUrl("containerd.runc.v1.Options").build();
  private static final Any PROCESS =
      Any.newBuilder()
          .setTypeUrl(TypedValues.PROCESS)
          .setValue(ByteString.copyFromUtf8("{\"args\":[\"true\"]}"))
          .build();
  private static final Digest DIGEST = Digest.sha256("criu".getBytes(StandardCharsets.UTF_8));

  @TempDir Path folder;
  private final ScriptedRuntime runtime = new ScriptedRuntime();
  private final InMemoryContainerStore containers = new InMemoryContainerStore();
  private final InMemoryContentStore content = new InMemoryContentStore();
  private SocketServer server;
  private TasksGrpc.TasksBlockingStub tasks;

  @BeforeEach
  void serve() throws Exception {
    server =
        new SocketServer(
            folder,
            List.of(
                Services.tasks(
                    containers,
                    runtime,
                    content,
                    List.of(this::unpack),
                    List.of(this::pack),
                    folder.resolve("temp"),
                    Time.SYSTEM)));
    tasks =
        TasksGrpc.newBlockingStub(server.in("default")).withDeadlineAfter(100, TimeUnit.SECONDS);
    for (String id : List.of("c1", "c2", "c3")) {
      Call.in("default").call(() -> containers.create(container(id)));
    }
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void a_task_is_created_with_everything_the_client_gave() {
    var mount = Mount.newBuilder().setType("overlay").addOptions("lowerdir=/a:/b").build();

    var response =
        tasks.create(
            CreateTaskRequest.newBuilder()
                .setContainerId("c1")
                .addRootfs(mount)
                .setStdin("/i")
                .setStdout("/o")
                .setStderr("/e")
                .setTerminal(true)
                .setOptions(OPTIONS)
                .setRuntimePath("/bin/shim")
                .setTaskApiAddress("unix:///s")
                .setTaskApiVersion(3)
                .build());

    assertThat(response.getPid()).isEqualTo(42);
    assertThat(response.getContainerId()).isEqualTo("c1");
    CreateTask created = runtime.created.getFirst();
    assertThat(created.container().id()).isEqualTo("c1");
    assertThat(created.rootfs()).containsExactly(Types.toCore(mount));
    assertThat(created.stdio().stdin() + created.stdio().stdout() + created.stdio().stderr())
        .isEqualTo("/i/o/e");
    assertThat(created.stdio().terminal()).isTrue();
    assertThat(created.options()).contains(TypedValues.toCore(OPTIONS));
    assertThat(created.checkpoint()).isEmpty();
    assertThat(created.runtimePath()).isEqualTo("/bin/shim");
    assertThat(created.taskApiAddress()).isEqualTo("unix:///s");
    assertThat(created.taskApiVersion()).isEqualTo(3);
  }

  @Test
  void without_a_record_there_is_no_task() {
    assertFails(
        () -> tasks.create(CreateTaskRequest.newBuilder().setContainerId("x").build()),
        Status.Code.NOT_FOUND,
        ": not found");
    runtime.tasks.add("x");
    assertFails(
        () -> tasks.start(StartRequest.newBuilder().setContainerId("x").build()),
        Status.Code.NOT_FOUND,
        ": not found");
    assertThat(runtime.asked).isEmpty();
  }

  @Test
  void without_a_task_a_record_does_not_help() {
    assertFails(
        () -> tasks.start(StartRequest.newBuilder().setContainerId("c1").build()),
        Status.Code.NOT_FOUND,
        "task c1 not found: not found");
  }

  @Test
  void every_verb_reaches_the_runtime_in_the_namespace() {
    runtime.tasks.add("c1");

    assertThat(
            tasks
                .start(StartRequest.newBuilder().setContainerId("c1").setExecId("e").build())
                .getPid())
        .isEqualTo(43);
    tasks.kill(
        KillRequest.newBuilder()
            .setContainerId("c1")
            .setExecId("e")
            .setSignal(9)
            .setAll(true)
            .build());
    tasks.exec(
        ExecProcessRequest.newBuilder()
            .setContainerId("c1")
            .setExecId("e2")
            .setStdout("/o")
            .setSpec(PROCESS)
            .build());
    tasks.resizePty(
        ResizePtyRequest.newBuilder().setContainerId("c1").setWidth(80).setHeight(25).build());
    tasks.closeIO(CloseIORequest.newBuilder().setContainerId("c1").setStdin(true).build());
    tasks.closeIO(CloseIORequest.newBuilder().setContainerId("c1").setExecId("e").build());
    tasks.pause(PauseTaskRequest.newBuilder().setContainerId("c1").build());
    tasks.resume(ResumeTaskRequest.newBuilder().setContainerId("c1").build());
    tasks.update(
        UpdateTaskRequest.newBuilder().setContainerId("c1").putAnnotations("a", "b").build());

    assertThat(runtime.asked)
        .containsExactly(
            "default start c1 e",
            "default kill c1 e 9 true",
            "default exec c1 e2 Stdio[stdin=, stdout=/o, stderr=, terminal=false] "
                + TypedValues.PROCESS,
            "default resizePty c1  80 25",
            "default closeStdin c1 ",
            "default pause c1",
            "default resume c1",
            "default update c1 " + TypedValues.LINUX_RESOURCES + " {} {a=b}");
  }

  @Test
  void an_exec_needs_an_id_and_a_spec() {
    for (String id : List.of("", "a/b")) {
      assertFails(
          () ->
              tasks.exec(
                  ExecProcessRequest.newBuilder()
                      .setContainerId("c1")
                      .setExecId(id)
                      .setSpec(PROCESS)
                      .build()),
          Status.Code.INVALID_ARGUMENT,
          ": invalid argument");
    }
    assertFails(
        () ->
            tasks.exec(ExecProcessRequest.newBuilder().setContainerId("c1").setExecId("e").build()),
        Status.Code.INVALID_ARGUMENT,
        ": invalid argument");
  }

  @Test
  void a_state_that_cannot_be_told_is_unknown_but_a_lost_shim_is_a_failure() {
    runtime.tasks.addAll(List.of("c1", "c2"));
    Process running = get("c1");
    assertThat(running.getId()).isEqualTo("c1");
    assertThat(running.getStatus().getNumber()).isEqualTo(2);
    assertThat(running.getExitedAt()).isEqualTo(Times.NONE);

    runtime.failures.put("c1", new InternalException("runc state: exit status 1"));
    runtime.failures.put("c2", new UnavailableException("shim of c2"));

    assertThat(get("c1").getStatus().getNumber()).isZero();
    assertFails(() -> get("c2"), Status.Code.UNAVAILABLE, "shim of c2: unavailable");
    assertFails(() -> get("c3"), Status.Code.NOT_FOUND, ": not found");
  }

  @Test
  void exits_are_told_with_the_right_ids() {
    runtime.tasks.add("c1");

    DeleteResponse exec =
        tasks.deleteProcess(
            DeleteProcessRequest.newBuilder().setContainerId("c1").setExecId("e").build());
    DeleteResponse init = tasks.delete(DeleteTaskRequest.newBuilder().setContainerId("c1").build());

    assertThat(exec.getId()).isEqualTo("e");
    assertThat(exec.getExitStatus()).isEqualTo(1);
    assertThat(init.getExitStatus()).isEqualTo(137);
    assertThat(init.getPid()).isEqualTo(42);
    assertThat(init.getExitedAt()).isEqualTo(Times.toApi(ScriptedRuntime.EXITED));
  }

  @Test
  void lists_and_pids_come_with_their_details() {
    runtime.tasks.addAll(List.of("c1", "c2"));

    assertThat(tasks.list(ListTasksRequest.newBuilder().setFilter("id==c2").build()).getTasksList())
        .extracting(Process::getId)
        .containsExactly("c1", "c2");
    var pids =
        tasks
            .listPids(ListPidsRequest.newBuilder().setContainerId("c1").build())
            .getProcessesList();
    assertThat(pids).extracting(pid -> pid.getPid()).containsExactly(42, 43);
    assertThat(pids.get(1).getInfo().getTypeUrl()).isEqualTo("containerd.runc.v1.ProcessDetails");
  }

  @Test
  void metrics_leave_out_what_fails_and_what_the_filter_does_not_want() {
    runtime.tasks.addAll(List.of("c1", "c2", "c3"));
    runtime.failures.put("c2", new UnavailableException("shim of c2"));

    assertThat(metrics()).containsExactly("c1", "c3");
    assertThat(metrics("id==c3")).containsExactly("c3");
    assertThat(metrics("namespace==other")).isEmpty();
    assertThat(metrics("id==c1", "id==c3")).containsExactly("c1", "c3");
  }

  @Test
  void a_wait_lasts_as_long_as_the_process_and_ends_with_its_client() throws Exception {
    var request = WaitRequest.newBuilder().setContainerId("c1").build();
    var wait = server.in("default").newCall(TasksGrpc.getWaitMethod(), SocketServer.patience());
    var answer = ClientCalls.futureUnaryCall(wait, request);
    assertThat(runtime.waited.await(60, TimeUnit.SECONDS)).isTrue();
    assertThat(answer).isNotDone();

    wait.cancel("client leaves", null);
    assertThat(runtime.interrupted.await(60, TimeUnit.SECONDS)).isTrue();

    runtime.exit.countDown();
    assertThat(tasks.wait(request).getExitStatus()).isEqualTo(7);
  }

  @Test
  void a_checkpoint_becomes_content_and_its_folder_goes() throws Exception {
    runtime.onCheckpoint = path -> write(Path.of(path).resolve("pages-1.img"));

    var descriptors =
        tasks
            .checkpoint(CheckpointTaskRequest.newBuilder().setContainerId("c1").build())
            .getDescriptorsList();

    assertThat(descriptors).hasSize(2);
    assertThat(descriptors.get(0).getMediaType()).isEqualTo(Checkpoints.CRIU_TAR);
    assertThat(descriptors.get(0).getDigest()).isEqualTo(DIGEST.toString());
    assertThat(descriptors.get(1).getMediaType()).isEqualTo(Checkpoints.CONFIG);
    Digest config = Digest.parse(descriptors.get(1).getDigest());
    assertThat(Call.in("default").call(() -> content.find(config))).isPresent();
    assertThat(leftovers()).isEmpty();
    assertThat(
            tasks
                .checkpoint(CheckpointTaskRequest.newBuilder().setContainerId("c1").build())
                .getDescriptorsList())
        .as("the same again")
        .isEqualTo(descriptors);
  }

  @Test
  void a_checkpoint_into_the_clients_folder_makes_no_content() throws Exception {
    Path own = Files.createDirectory(folder.resolve("own"));
    runtime.onCheckpoint = path -> assertThat(path).isEqualTo(own.toString());
    Any options =
        TypedValues.packApi(CheckpointOptions.newBuilder().setImagePath(own.toString()).build());

    assertThat(
            tasks
                .checkpoint(
                    CheckpointTaskRequest.newBuilder()
                        .setContainerId("c1")
                        .setOptions(options)
                        .build())
                .getDescriptorsList())
        .isEmpty();
    assertThat(runtime.asked).containsExactly("default checkpoint c1");
  }

  @Test
  void a_task_is_restored_from_a_folder_that_goes_afterwards_even_after_a_failure()
      throws Exception {
    var checkpoint = Types.toApi(new Descriptor(Checkpoints.CRIU_TAR, DIGEST, 4));
    var request =
        CreateTaskRequest.newBuilder().setContainerId("c1").setCheckpoint(checkpoint).build();
    runtime.onCreate =
        task -> assertThat(Path.of(task.checkpoint()).resolve("pages-1.img")).exists();

    assertThat(tasks.create(request).getPid()).isEqualTo(42);
    assertThat(leftovers()).isEmpty();

    Path taken = folder.resolve("taken");
    runtime.onCreate = task -> move(Path.of(task.checkpoint()), taken);
    assertThat(tasks.create(request).getPid()).isEqualTo(42);
    assertThat(taken.resolve("pages-1.img")).as("the task's from then on").exists();
    assertThat(leftovers()).isEmpty();

    runtime.onCreate =
        _ -> {
          throw new InternalException("runc restore failed");
        };
    assertFails(() -> tasks.create(request), Status.Code.INTERNAL, ": internal");
    assertThat(leftovers()).isEmpty();
    assertFails(
        () ->
            tasks.create(
                request.toBuilder()
                    .setCheckpoint(checkpoint.toBuilder().setMediaType("text/plain"))
                    .build()),
        Status.Code.INVALID_ARGUMENT,
        "unsupported checkpoint type \"text/plain\": invalid argument");
  }

  private Process get(String id) {
    return tasks.get(GetRequest.newBuilder().setContainerId(id).build()).getProcess();
  }

  private List<String> metrics(String... filters) {
    return tasks
        .metrics(MetricsRequest.newBuilder().addAllFilters(List.of(filters)).build())
        .getMetricsList()
        .stream()
        .map(Metric::getId)
        .toList();
  }

  private List<Path> leftovers() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("temp"))) {
      return files.toList();
    }
  }

  private Descriptor unpack(
      Descriptor layer, List<io.jcontainerd.core.mount.Mount> mounts, Applier.Options options) {
    assertThat(layer.digest()).isEqualTo(DIGEST);
    assertThat(layer.mediaType()).contains("tar");
    write(Path.of(mounts.getFirst().source()).resolve("pages-1.img"));
    return layer;
  }

  private Descriptor pack(
      List<io.jcontainerd.core.mount.Mount> lower,
      List<io.jcontainerd.core.mount.Mount> upper,
      Comparer.Options options) {
    assertThat(lower).isEmpty();
    assertThat(Path.of(upper.getFirst().source()).resolve("pages-1.img")).exists();
    return new Descriptor(options.mediaType(), DIGEST, 4);
  }

  private static void write(Path file) {
    try {
      Files.writeString(file, "pages");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void move(Path folder, Path to) {
    try {
      Files.move(folder, to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Container container(String id) {
    return new Container(
        id,
        Map.of(),
        "",
        new Container.Runtime("io.containerd.runc.v2", Optional.empty()),
        Optional.of(new TypedValue(TypedValues.SPEC, new byte[] {'{', '}'})),
        "",
        "",
        Map.of(),
        "",
        Instant.EPOCH,
        Instant.EPOCH);
  }
}

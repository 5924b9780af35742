package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Empty;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapParams;
import io.jcontainerd.api.runtime.task.v2.ConnectRequest;
import io.jcontainerd.api.runtime.task.v2.ConnectResponse;
import io.jcontainerd.api.runtime.task.v2.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v2.CreateTaskResponse;
import io.jcontainerd.api.runtime.task.v2.DeleteRequest;
import io.jcontainerd.api.runtime.task.v2.DeleteResponse;
import io.jcontainerd.api.runtime.task.v2.PidsRequest;
import io.jcontainerd.api.runtime.task.v2.PidsResponse;
import io.jcontainerd.api.runtime.task.v2.ShutdownRequest;
import io.jcontainerd.api.runtime.task.v2.StartRequest;
import io.jcontainerd.api.runtime.task.v2.StartResponse;
import io.jcontainerd.api.runtime.task.v2.StateRequest;
import io.jcontainerd.api.runtime.task.v2.StateResponse;
import io.jcontainerd.api.types.runc.options.Options;
import io.jcontainerd.api.types.task.ProcessInfo;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcException;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.TypedValues;
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
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Shims that misbehave: a script plays the program and writes down what it was asked, a server of
 * this process plays what the script is said to have started.
 */
@Tag("root")
@Timeout(120)
class ScriptedShimTest {
  private static final Duration SHORT = Duration.ofMillis(500);
  private static final Duration A_WHILE = Duration.ofSeconds(5);
  private static final Duration LONG = Duration.ofSeconds(30);

  private final OperationRegistry operations = new OperationRegistry();
  private final CountDownLatch release = new CountDownLatch(1);
  private volatile CountDownLatch entered = new CountDownLatch(1);
  private final Set<String> created = ConcurrentHashMap.newKeySet();
  private final AtomicInteger deletions = new AtomicInteger();
  private Ground ground;
  private LocalTaskRuntime runtime;
  private TtrpcServer server;
  private Path script;
  private volatile boolean hangCreate;
  private volatile boolean hangConnect;
  private volatile boolean lacksConnect;
  private volatile boolean slowFirstDelete;
  private volatile boolean hangState;
  private volatile boolean forgetsPids;
  private volatile int shimPid;
  private volatile boolean refusesCreate;
  private volatile boolean refusesStart;
  private volatile CreateTaskRequest lastCreate = CreateTaskRequest.getDefaultInstance();

  @BeforeEach
  void start() throws Exception {
    ground = new Ground();
    script = ground.top.resolve("shim");
    server = serve("containerd.task.v2.Task");
    says(
        "printf '{\"version\":2,\"address\":\"unix://%s/a\",\"protocol\":\"ttrpc\"}' "
            + ground.top);
    runtime = ground.runtime(Ground.PATIENT, operations);
  }

  /** Only what hangs in a test is waited for briefly: all else takes what a busy machine takes. */
  private static Timeouts timeouts(
      Duration cleanUp, Duration load, Duration state, Duration start) {
    return new Timeouts(cleanUp, load, LONG, state, LONG, LONG, start, LONG);
  }

  private void restart(Timeouts timeouts) throws InterruptedException {
    runtime.close();
    runtime = ground.runtime(timeouts);
  }

  @AfterEach
  void stop() throws Exception {
    release.countDown();
    runtime.close();
    server.close();
    ground.bundles.list().forEach(ground.bundles::delete);
    ground.close();
  }

  /** Sets what the script does for its start action. */
  private void says(String start) throws IOException {
    Files.writeString(
        script,
        """
        #!/bin/sh
        for word; do action=$word; done
        echo "$action" >> %1$s/actions
        case $action in
        start) cat > %1$s/input; %2$s ;;
        delete) printf '\\010\\052\\020\\211\\001' ;;
        esac
        """
            .formatted(ground.top, start));
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
  }

  private List<String> actions() throws IOException {
    Path file = ground.top.resolve("actions");
    return Files.exists(file) ? Files.readAllLines(file) : List.of();
  }

  private TtrpcServer serve(String service) throws IOException {
    Path socket = ground.top.resolve("a");
    Files.deleteIfExists(socket);
    var made =
        new TtrpcServer(
            List.of(
                TtrpcService.named(service)
                    .waiting("Connect", ConnectRequest.parser(), (q, _) -> connect(q))
                    .waiting("Create", CreateTaskRequest.parser(), (q, _) -> create(q))
                    .unary("Start", StartRequest.parser(), (q, _) -> start(q))
                    .waiting("State", StateRequest.parser(), (q, _) -> state(q))
                    .unary("Pids", PidsRequest.parser(), (q, _) -> pids(q))
                    .waiting("Delete", DeleteRequest.parser(), (q, _) -> delete(q))
                    .unary(
                        "Shutdown", ShutdownRequest.parser(), (_, _) -> Empty.getDefaultInstance())
                    .build()));
    made.listen(UnixSockets.listen(socket));
    return made;
  }

  private ConnectResponse connect(ConnectRequest request) throws InterruptedException {
    if (hangConnect) {
      release.await();
    }
    if (lacksConnect) {
      throw new TtrpcException(StatusCode.UNIMPLEMENTED, "method Connect");
    }
    return ConnectResponse.newBuilder()
        .setShimPid(shimPid)
        .setTaskPid(created.contains(request.getId()) ? 42 : 0)
        .build();
  }

  private CreateTaskResponse create(CreateTaskRequest request) throws InterruptedException {
    lastCreate = request;
    entered.countDown();
    if (hangCreate) {
      release.await();
    }
    if (refusesCreate) {
      throw new TtrpcException(StatusCode.UNKNOWN, "no room");
    }
    created.add(request.getId());
    return CreateTaskResponse.newBuilder().setPid(42).build();
  }

  private StartResponse start(StartRequest request) {
    known(request.getId());
    if (refusesStart) {
      throw new TtrpcException(StatusCode.UNKNOWN, "restore failed");
    }
    return StartResponse.newBuilder().setPid(42).build();
  }

  private void known(String id) {
    if (!created.contains(id)) {
      throw new TtrpcException(StatusCode.NOT_FOUND, "container not created: not found");
    }
  }

  private StateResponse state(StateRequest request) throws InterruptedException {
    if (hangState) {
      release.await();
    }
    known(request.getId());
    return StateResponse.newBuilder().setPid(42).setStatus(Status.RUNNING).build();
  }

  private PidsResponse pids(PidsRequest request) {
    known(request.getId());
    if (forgetsPids) {
      throw new TtrpcException(StatusCode.NOT_FOUND, "no processes");
    }
    return PidsResponse.newBuilder().addProcesses(ProcessInfo.newBuilder().setPid(42)).build();
  }

  private DeleteResponse delete(DeleteRequest request) throws InterruptedException {
    known(request.getId());
    created.remove(request.getId());
    if (deletions.incrementAndGet() == 1 && slowFirstDelete) {
      entered.countDown();
      release.await();
    }
    return DeleteResponse.newBuilder().setPid(42).setExitStatus(1).build();
  }

  private CreateTask request(String id) {
    CreateTask other = ground.sleeping(id);
    return new CreateTask(
        other.container(), List.of(), Stdio.NONE, Optional.empty(), "", script.toString(), "", 0);
  }

  /** The same container with another request for its task. */
  private int createOtherwise(String id) throws Exception {
    CreateTask plain = request(id);
    CreateTask other =
        new CreateTask(
            plain.container(),
            List.of(),
            new Stdio("", "/dev/null", "", false),
            Optional.empty(),
            "",
            script.toString(),
            "",
            0);
    return Call.in(ground.namespace).call(() -> runtime.create(other));
  }

  private int create(String id) throws Exception {
    return Call.in(ground.namespace).call(() -> runtime.create(request(id)));
  }

  private int createWithin(String id, Duration time) throws Exception {
    return new Call(
            Optional.of(ground.namespace), Optional.empty(), Optional.of(Instant.now().plus(time)))
        .call(() -> runtime.create(request(id)));
  }

  private TaskStatus status(String id) throws Exception {
    return Call.in(ground.namespace).call(() -> runtime.get(id, "").status());
  }

  @Test
  void its_start_gets_the_parameters_and_its_bundle_the_address() throws Exception {
    assertThat(create("one")).isEqualTo(42);
    var parameters = BootstrapParams.parseFrom(Files.readAllBytes(ground.top.resolve("input")));
    assertThat(parameters.getInstanceId()).isEqualTo("one");
    assertThat(parameters.getNamespace()).isEqualTo(ground.namespace);
    assertThat(parameters.getContainerdTtrpcAddress()).isEqualTo(ground.top + "/t");
    assertThat(parameters.getSocketDir()).isEqualTo(ground.top + "/s");
    Bundle bundle = ground.bundles.at(ground.namespace, "one");
    assertThat(bundle.path().resolve("bootstrap.json"))
        .hasContent(
            "{\"version\":2,\"address\":\"unix://" + ground.top + "/a\",\"protocol\":\"ttrpc\"}");
    assertThat(bundle.path().resolve("shim-binary-path")).hasContent(script.toString());
    assertThat(Files.getPosixFilePermissions(bundle.path()))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    assertThat(Files.readSymbolicLink(bundle.path().resolve("work"))).isEqualTo(bundle.work());
    assertThat(status("one")).isEqualTo(TaskStatus.RUNNING);
    Call.in(ground.namespace).call(() -> runtime.delete("one"));
    assertThat(bundle.path()).doesNotExist();
    assertThat(bundle.work()).doesNotExist();
    assertThat(actions()).containsExactly("start");
  }

  private CreateTask restored(String id, Path folder, Optional<TypedValue> options) {
    CreateTask plain = request(id);
    return new CreateTask(
        plain.container(),
        List.of(),
        Stdio.NONE,
        options,
        folder.toString(),
        script.toString(),
        "",
        0);
  }

  private Path checkpoint() throws IOException {
    Path folder = Files.createDirectory(ground.top.resolve("given"));
    Files.writeString(folder.resolve("pages-1.img"), "pages");
    return folder;
  }

  @Test
  void a_checkpoint_is_kept_in_the_bundle_until_the_task_has_begun() throws Exception {
    Path given = checkpoint();
    CreateTask request = restored("back", given, Optional.empty());
    Call.in(ground.namespace).call(() -> runtime.create(request));
    Path kept = ground.bundles.at(ground.namespace, "back").work().resolve("checkpoint");
    assertThat(lastCreate.getCheckpoint()).isEqualTo(kept.toString());
    assertThat(kept.resolve("pages-1.img")).hasContent("pages");
    assertThat(given).doesNotExist();

    refusesStart = true;
    assertThatThrownBy(() -> Call.in(ground.namespace).call(() -> runtime.start("back", "")))
        .hasMessageContaining("restore failed");
    assertThat(kept).as("for another try").exists();
    refusesStart = false;
    assertThat(Call.in(ground.namespace).call(() -> runtime.start("back", ""))).isEqualTo(42);
    assertThat(kept).doesNotExist();
  }

  @Test
  void a_checkpoint_goes_with_a_creation_that_fails() throws Exception {
    Path given = checkpoint();
    refusesCreate = true;
    CreateTask request = restored("back", given, Optional.empty());
    assertThatThrownBy(() -> Call.in(ground.namespace).call(() -> runtime.create(request)))
        .isInstanceOf(UnknownException.class);
    assertThat(given).doesNotExist();
    assertThat(ground.bundles.list()).isEmpty();
  }

  @Test
  void a_checkpoint_in_a_folder_of_the_client_is_used_there_and_stays() throws Exception {
    Path own = checkpoint();
    TypedValue options =
        TypedValues.toCore(
            TypedValues.packApi(Options.newBuilder().setCriuImagePath(own.toString()).build()));
    CreateTask request = restored("back", Path.of(""), Optional.of(options));
    Call.in(ground.namespace).call(() -> runtime.create(request));
    assertThat(lastCreate.getCheckpoint()).isEqualTo(own.toString());
    Call.in(ground.namespace).call(() -> runtime.start("back", ""));
    Call.in(ground.namespace).call(() -> runtime.delete("back"));
    assertThat(own.resolve("pages-1.img")).exists();
  }

  @Test
  void a_user_namespaces_root_may_enter_its_bundle() throws Exception {
    CreateTask plain = request("mapped");
    Spec spec =
        Spec.parse(
            """
            {"ociVersion":"1.0.2","process":{"args":["x"],"cwd":"/"},"root":{"path":"rootfs"},
             "linux":{"uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
                      "gidMappings":[{"containerID":0,"hostID":200000,"size":65536}]}}
            """
                .getBytes(UTF_8));
    CreateTask mapped =
        new CreateTask(
            ground.request("mapped", spec, Stdio.NONE).container(),
            List.of(),
            Stdio.NONE,
            Optional.empty(),
            "",
            plain.runtimePath(),
            "",
            0);
    Call.in(ground.namespace).call(() -> runtime.create(mapped));
    Path bundle = ground.bundles.at(ground.namespace, "mapped").path();
    assertThat(Files.getAttribute(bundle, "unix:gid")).isEqualTo(200000);
    assertThat(Files.getPosixFilePermissions(bundle))
        .isEqualTo(PosixFilePermissions.fromString("rwx--x---"));
  }

  @Test
  void mounts_with_mapped_ids_need_a_runtime_that_can_do_them() throws Exception {
    Spec spec =
        Spec.parse(
            """
            {"ociVersion":"1.0.2","process":{"args":["x"],"cwd":"/"},"root":{"path":"rootfs"},
             "mounts":[{"destination":"/d","source":"/tmp","options":["bind","idmap"]}]}
            """
                .getBytes(UTF_8));
    CreateTask mapped =
        new CreateTask(
            ground.request("idmap", spec, Stdio.NONE).container(),
            List.of(),
            Stdio.NONE,
            Optional.empty(),
            "",
            script.toString(),
            "",
            0);
    assertThatThrownBy(() -> Call.in(ground.namespace).call(() -> runtime.create(mapped)))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("idmap mounts not supported");
    assertThat(ground.bundles.list()).isEmpty();
  }

  @Test
  void one_that_says_3_and_speaks_2_is_spoken_to_in_2() throws Exception {
    says(
        "printf '{\"version\":3,\"address\":\"unix://%s/a\",\"protocol\":\"ttrpc\"}' "
            + ground.top);
    assertThat(create("down")).isEqualTo(42);
    assertThat(status("down")).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void one_whose_start_fails_is_quoted() throws Exception {
    says("echo no luck today >&2; exit 3");
    assertThatThrownBy(() -> create("fails"))
        .isInstanceOf(UnknownException.class)
        .hasMessage("failed to start shim: start failed: no luck today: exit status 3");
    assertThat(ground.bundles.list()).isEmpty();
    assertThat(actions()).containsExactly("start");
  }

  @Test
  void one_whose_start_never_ends_is_killed_and_cleaned_after() throws Exception {
    restart(timeouts(LONG, LONG, LONG, A_WHILE));
    says("sleep 600");
    assertThatThrownBy(() -> create("hangs")).isInstanceOf(DeadlineExceededException.class);
    assertThat(ground.bundles.list()).isEmpty();
    assertThat(actions()).containsExactly("start", "delete");
  }

  @Test
  void one_that_prints_no_address_is_cleaned_after() throws Exception {
    says("echo all is well; echo but not an address");
    assertThatThrownBy(() -> create("chatty"))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("all is well");
    assertThat(ground.bundles.list()).isEmpty();
    assertThat(actions()).containsExactly("start", "delete");
  }

  @Test
  void one_that_is_not_where_it_says_is_cleaned_after() throws Exception {
    says("printf unix://%s/nobody " + ground.top);
    assertThatThrownBy(() -> create("away")).isInstanceOf(UnavailableException.class);
    assertThat(ground.bundles.list()).isEmpty();
    assertThat(actions()).containsExactly("start", "delete");
  }

  @Test
  void one_that_speaks_grpc_is_refused_with_a_reason() throws Exception {
    says(
        "printf '{\"version\":3,\"address\":\"unix://%s/a\",\"protocol\":\"grpc\"}' " + ground.top);
    assertThatThrownBy(() -> create("grpc"))
        .isInstanceOf(NotImplementedException.class)
        .hasMessageContaining("speaks grpc");
    assertThat(actions()).containsExactly("start", "delete");
  }

  /** A creation that has come to the shim when the last who waited for it runs out of time. */
  private void abandon(String id) throws Exception {
    Soon.until(
        "the shim is asked for " + id,
        () -> {
          assertThatThrownBy(() -> createWithin(id, SHORT))
              .isInstanceOf(DeadlineExceededException.class);
          return entered.getCount() == 0;
        });
  }

  @Test
  void a_create_that_hangs_ends_at_the_callers_deadline_and_gives_way_to_another()
      throws Exception {
    restart(timeouts(A_WHILE, LONG, LONG, LONG));
    Process shim = new ProcessBuilder("sleep", "600").start();
    shimPid = (int) shim.pid();
    hangCreate = true;
    abandon("stuck");
    hangCreate = false;
    // waits until the first attempt is undone, which ends with the shim's own end
    assertThat(createOtherwise("stuck")).isEqualTo(42);
    assertThat(shim.waitFor()).isEqualTo(137);
    assertThat(actions()).containsExactly("start", "delete", "start");
  }

  @Test
  void a_create_whose_caller_ran_out_of_time_is_joined_by_who_asks_again() throws Exception {
    hangCreate = true;
    abandon("late");
    assertThatThrownBy(() -> createWithin("late", SHORT))
        .isInstanceOf(DeadlineExceededException.class)
        .hasMessageContaining("the answer of shim");
    release.countDown();
    assertThat(create("late")).isEqualTo(42);
    assertThat(deletions).hasValue(0);
    assertThat(actions()).containsExactly("start");
    assertThatThrownBy(() -> create("late")).isInstanceOf(AlreadyExistsException.class);
  }

  @Test
  void a_create_that_succeeds_with_nobody_there_is_undone_for_a_different_one() throws Exception {
    hangCreate = true;
    abandon("late");
    release.countDown();
    Soon.until("the task is made", () -> created.contains("late"));
    assertThat(createOtherwise("late")).isEqualTo(42);
    assertThat(deletions).hasValue(1);
    assertThat(actions()).containsExactly("start", "start");
  }

  @Test
  void a_shim_that_answers_nothing_any_more_is_cleaned_after_and_killed() throws Exception {
    Process shim = new ProcessBuilder("sleep", "600").start();
    shimPid = (int) shim.pid();
    hangCreate = true;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> creating = threads.submit(() -> create("dies"));
      entered.await();
      assertThatThrownBy(() -> createOtherwise("dies")).isInstanceOf(AlreadyExistsException.class);
      server.close();
      assertThatThrownBy(creating::get).hasCauseInstanceOf(UnavailableException.class);
    }
    assertThat(shim.waitFor()).isEqualTo(137);
    assertThat(ground.bundles.list()).isEmpty();
    assertThat(actions()).containsExactly("start", "delete");
    assertThat(ground.events.topics()).isEmpty();
  }

  @Test
  void a_dead_shims_task_ends_with_what_the_clean_up_says() throws Exception {
    create("gone");
    server.close();
    ground.events.await("/tasks/delete");
    var exit =
        io.jcontainerd.api.events.TaskExit.parseFrom(
            ground.events.await("/tasks/exit").payload().value());
    assertThat(exit.getPid()).isEqualTo(42);
    assertThat(exit.getExitStatus()).isEqualTo(137);
    assertThat(ground.events.topics()).containsExactly("/tasks/exit", "/tasks/delete");
    assertThatThrownBy(() -> status("gone")).isInstanceOf(NotFoundException.class);
    assertThat(actions()).containsExactly("start", "delete");
  }

  @Test
  void a_dead_shims_task_whose_clean_up_fails_ends_with_255() throws Exception {
    create("gone");
    Files.writeString(script, "#!/bin/sh\nexit 1\n");
    server.close();
    var exit =
        io.jcontainerd.api.events.TaskExit.parseFrom(
            ground.events.await("/tasks/exit").payload().value());
    assertThat(exit.getExitStatus()).isEqualTo(255);
    ground.events.await("/tasks/delete");
  }

  @Test
  void a_shim_that_hangs_at_the_daemons_start_holds_up_nobody() throws Exception {
    Process shim = new ProcessBuilder("sleep", "600").start();
    shimPid = (int) shim.pid();
    create("hung");
    assertThat(Path.of("/proc/" + shimPid + "/oom_score_adj"))
        .hasContent(
            Integer.toString(
                Math.min(
                    1000,
                    Integer.parseInt(Files.readString(Path.of("/proc/self/oom_score_adj")).strip())
                        + 1)));
    shimPid = 0;
    create("fine");
    runtime.close();
    hangConnect = true;
    long begun = System.nanoTime();
    runtime = ground.runtime(timeouts(A_WHILE, SHORT, LONG, LONG));
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(20));
    assertThat(ground.bundles.list()).isEmpty();
    assertThat(actions()).containsExactly("start", "start", "delete", "delete");
    assertThat(shim.waitFor()).isEqualTo(137);
    assertThat(ground.events.topics()).isEmpty();
  }

  @Test
  void a_shim_without_a_task_is_ended_at_the_daemons_start() throws Exception {
    create("leaked");
    create("kept");
    runtime.close();
    created.remove("leaked");
    runtime = ground.runtime();
    assertThat(ground.bundles.list()).hasSize(1);
    assertThat(status("kept")).isEqualTo(TaskStatus.RUNNING);
    assertThatThrownBy(() -> status("leaked")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_shim_that_lacks_connect_is_created_by_and_taken_over() throws Exception {
    lacksConnect = true;
    server.close();
    server = serve("containerd.task.v3.Task");
    says(
        "printf '{\"version\":3,\"address\":\"unix://%s/a\",\"protocol\":\"ttrpc\"}' "
            + ground.top);
    assertThat(create("mute")).isEqualTo(42);
    runtime.close();
    runtime = ground.runtime();
    assertThat(status("mute")).isEqualTo(TaskStatus.RUNNING);
    assertThat(actions()).containsExactly("start");
  }

  @Test
  void a_bundle_that_cannot_be_written_does_not_cost_a_living_task() throws Exception {
    create("full");
    runtime.close();
    Bundle bundle = ground.bundles.at(ground.namespace, "full");
    Files.delete(bundle.path().resolve("bootstrap.json"));
    Files.writeString(bundle.path().resolve("address"), "unix://" + ground.top + "/a");
    Process shim = new ProcessBuilder("sleep", "600").start();
    shimPid = (int) shim.pid();
    // in the way of what is to be written, and not to be removed
    Files.createDirectories(bundle.path().resolve(".bootstrap.json/x"));
    Files.createDirectories(bundle.path().resolve(".shim-process/x"));
    runtime = ground.runtime();
    assertThat(status("full")).isEqualTo(TaskStatus.RUNNING);
    assertThat(actions()).containsExactly("start");
    assertThat(shim.isAlive()).isTrue();
    shim.destroyForcibly().waitFor();
  }

  @Test
  void a_task_whose_state_is_not_told_at_the_daemons_start_is_taken_over() throws Exception {
    create("slow");
    runtime.close();
    forgetsPids = true;
    hangState = true;
    runtime = ground.runtime(timeouts(LONG, LONG, SHORT, LONG));
    hangState = false;
    assertThat(status("slow")).isEqualTo(TaskStatus.RUNNING);
    assertThat(actions()).containsExactly("start");
  }

  @Test
  void two_deletions_at_once_are_one_and_both_get_the_exit() throws Exception {
    create("twice");
    entered = new CountDownLatch(1);
    slowFirstDelete = true;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Exit> first =
          threads.submit(() -> Call.in(ground.namespace).call(() -> runtime.delete("twice")));
      entered.await();
      Future<Exit> second =
          threads.submit(() -> Call.in(ground.namespace).call(() -> runtime.delete("twice")));
      Soon.until(
          "the second waits for the first",
          () -> operations.list(List.of("kind==delete"), false).getFirst().joined() > 0);
      assertThatThrownBy(() -> second.get(500, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      release.countDown();
      assertThat(first.get().status()).isEqualTo(1);
      assertThat(second.get()).isEqualTo(first.get());
    }
    assertThat(deletions).hasValue(1);
    assertThat(ground.bundles.list()).isEmpty();
  }

  @Test
  void an_exit_that_was_told_is_noted_though_the_stream_of_events_broke_before() throws Exception {
    create("noted");
    ground.events.breakStream();
    ground.events.awaitSeen();
    ground.exited("noted", 42);
    ground.events.awaitSeen();
    Bundle bundle = ground.bundles.at(ground.namespace, "noted");
    assertThat(bundle.path().resolve("exit-event")).exists();
  }

  @Test
  void bundles_of_old_and_remains_are_dealt_with_at_the_daemons_start() throws Exception {
    create("old");
    runtime.close();
    Bundle old = ground.bundles.at(ground.namespace, "old");
    Files.delete(old.path().resolve("bootstrap.json"));
    Files.writeString(old.path().resolve("address"), "unix://" + ground.top + "/a");
    Path beside = old.path().resolveSibling("empty");
    Files.createDirectory(beside);
    Path half = old.path().resolveSibling(".half");
    Files.createDirectories(half.resolve("x"));
    Path work = old.work().resolveSibling("stray");
    Files.createDirectories(work.resolve("x"));
    Path nobody = old.path().resolveSibling("nobody");
    Files.createDirectories(nobody.resolve("rootfs"));
    runtime = ground.runtime();
    assertThat(status("old")).isEqualTo(TaskStatus.RUNNING);
    assertThat(old.path().resolve("bootstrap.json")).content().contains("\"version\":2");
    assertThat(List.of(beside, half, work, nobody)).allMatch(Files::notExists);
  }

  @Test
  void an_endpoint_that_a_client_names_is_used_instead_of_a_program() throws Exception {
    CreateTask plain = ground.sleeping("direct");
    var request =
        new CreateTask(
            plain.container(),
            List.of(),
            Stdio.NONE,
            Optional.empty(),
            "",
            "",
            "ttrpc+unix://" + ground.top + "/a",
            2);
    int pid = Call.in(ground.namespace).call(() -> runtime.create(request));
    assertThat(pid).isEqualTo(42);
    assertThat(actions()).isEmpty();
    Call.in(ground.namespace).call(() -> runtime.delete("direct"));
    assertThat(ground.bundles.list()).isEmpty();
  }

  @Test
  void a_spec_is_needed() {
    CreateTask plain = request("nospec");
    var container = plain.container();
    var without =
        new io.jcontainerd.core.containers.Container(
            container.id(),
            container.labels(),
            "",
            container.runtime(),
            Optional.<TypedValue>empty(),
            "",
            "",
            container.extensions(),
            "",
            container.createdAt(),
            container.updatedAt());
    var request = new CreateTask(without, List.of(), Stdio.NONE, Optional.empty(), "", "", "", 0);
    assertThatThrownBy(() -> Call.in(ground.namespace).call(() -> runtime.create(request)))
        .hasMessage("container nospec has no spec");
  }
}

package io.jcontainerd.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Empty;
import io.jcontainerd.api.runtime.task.v3.ConnectRequest;
import io.jcontainerd.api.runtime.task.v3.ConnectResponse;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.CreateTaskResponse;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.ShutdownRequest;
import io.jcontainerd.api.runtime.task.v3.WaitRequest;
import io.jcontainerd.api.runtime.task.v3.WaitResponse;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.mount.Activation;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.operation.Operation;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.SandboxEndpoints;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Ports that hang, each in a stage of the daemon's own: what is stuck is named, the client that ran
 * out of time asks again, and has its answer when the port goes on. The stages in a shim and below
 * are hung by the end-to-end tests, with real programs.
 */
@Tag("root")
@Timeout(120)
class TaskStagesTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofMillis(1000);
  private static final Duration LONG = Duration.ofSeconds(50);

  /** Sooner than anything is given up or done for want of a caller. */
  private static final Duration AT_ONCE = Duration.ofSeconds(8);

  private static final Set<String> TOLD = Set.of("activate", "deactivate", "Create", "Delete");

  private final OperationRegistry operations = new OperationRegistry();
  private final Set<String> hanging = ConcurrentHashMap.newKeySet();
  private final CountDownLatch release = new CountDownLatch(1);
  private final List<String> calls = new CopyOnWriteArrayList<>();
  private Ground ground;
  private TtrpcServer shim;
  private LocalTaskRuntime runtime;

  @BeforeEach
  void start() throws Exception {
    ground = new Ground();
    shim =
        new TtrpcServer(
            List.of(
                TtrpcService.named("containerd.task.v2.Task")
                    .unary("Connect", ConnectRequest.parser(), (_, _) -> connect())
                    .unary("Create", CreateTaskRequest.parser(), (_, _) -> create())
                    .unary("Delete", DeleteRequest.parser(), (_, _) -> delete())
                    .unary(
                        "Wait", WaitRequest.parser(), (_, _) -> WaitResponse.getDefaultInstance())
                    .unary("Shutdown", ShutdownRequest.parser(), (_, _) -> shutdown())
                    .build()));
    shim.listen(UnixSockets.listen(ground.top.resolve("a")));
    var bundles =
        new Bundles(
            hung(Files.class, new LinuxFiles()),
            new LinuxKernel(ground.top.resolve("k")),
            ground.top.resolve("state"),
            ground.top.resolve("root"));
    MountManager manager =
        (MountManager)
            Proxy.newProxyInstance(
                MountManager.class.getClassLoader(),
                new Class<?>[] {MountManager.class},
                (_, method, arguments) -> {
                  pass(method.getName());
                  return method.getName().equals("activate")
                      ? new Activation((String) arguments[0], List.of(), List.of(), Map.of())
                      : null;
                });
    runtime =
        new LocalTaskRuntime(
            bundles,
            List.of(ground.binaries(Ground.PATIENT)),
            ground.processes,
            ground.events,
            Optional.of(manager),
            SandboxEndpoints.NONE,
            operations,
            Ground.PATIENT);
    runtime.recover((_, _) -> Optional.empty());
  }

  @AfterEach
  void stop() throws Exception {
    release.countDown();
    runtime.close();
    shim.close();
    ground.bundles.list().forEach(ground.bundles::delete);
    ground.close();
  }

  private ConnectResponse connect() throws InterruptedException {
    pass("Connect");
    return ConnectResponse.getDefaultInstance();
  }

  private CreateTaskResponse create() throws InterruptedException {
    pass("Create");
    return CreateTaskResponse.newBuilder().setPid(42).build();
  }

  private DeleteResponse delete() throws InterruptedException {
    pass("Delete");
    return DeleteResponse.newBuilder().setPid(42).build();
  }

  private Empty shutdown() throws InterruptedException {
    pass("Shutdown");
    return Empty.getDefaultInstance();
  }

  private void pass(String what) throws InterruptedException {
    boolean hangs = hanging.contains(what);
    if (TOLD.contains(what)) {
      calls.add(what);
    }
    if (hangs) {
      release.await();
    }
  }

  /** The port, whose methods hang by their names. */
  private <T> T hung(Class<T> type, T real) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, arguments) -> {
              pass(method.getName());
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  private CreateTask request() {
    CreateTask plain = ground.sleeping("web");
    return new CreateTask(
        plain.container(),
        List.of(new Mount("loop", "/nowhere", "", List.of())),
        Stdio.NONE,
        Optional.empty(),
        "",
        "",
        "ttrpc+unix://" + ground.top + "/a",
        2);
  }

  @ParameterizedTest
  @CsvSource({
    "create, activate, mounts",
    "create, symlink, bundle",
    "create, Connect, shim",
    "create, Create, create",
    "delete, Delete, delete",
    "delete, Shutdown, clear",
    "delete, deleteTree, clear",
    "delete, deactivate, mounts"
  })
  void a_stage_that_hangs_is_named_and_joined(String kind, String port, String stage)
      throws Exception {
    Callable<Object> call =
        kind.equals("create") ? () -> runtime.create(request()) : () -> runtime.delete("web");
    if (kind.equals("delete")) {
      within(LONG, () -> runtime.create(request()));
    }
    hanging.add(port);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Object> first = threads.submit(() -> within(PATIENCE, call));
      Operation named = named(kind, stage);
      assertThat(shortestLook(kind)).isLessThan(SECOND);
      assertThat(named.waitsFor()).isNotEmpty();
      assertThatThrownBy(first::get).hasCauseInstanceOf(DeadlineExceededException.class);
      Future<Object> again = threads.submit(() -> within(LONG, call));
      await("a second caller", () -> operations.get(named.id(), false).joined() > 0);
      long released = System.nanoTime();
      hanging.clear();
      release.countDown();
      assertThat(again.get(LONG.toSeconds(), TimeUnit.SECONDS)).isNotNull();
      assertThat(since(released)).isLessThan(AT_ONCE);
    }
    // the answer comes a moment before the end
    await("the end", () -> operations.list(List.of(), false).isEmpty());
  }

  private Operation named(String kind, String stage) throws Exception {
    var found = new AtomicReference<Operation>();
    await(
        kind + " in " + stage,
        () -> {
          operations.list(List.of("kind==" + kind, "key==web"), true).stream()
              .filter(operation -> operation.stage().equals(stage))
              .findFirst()
              .ifPresent(found::set);
          return found.get() != null;
        });
    return Objects.requireNonNull(found.get());
  }

  /** How long it takes at best to tell what is stuck. */
  private Duration shortestLook(String kind) {
    Duration shortest = LONG;
    for (int i = 0; i < 5 && shortest.compareTo(SECOND) >= 0; i++) {
      long began = System.nanoTime();
      assertThat(operations.list(List.of("kind==" + kind, "key==web"), true)).isNotEmpty();
      Duration took = since(began);
      shortest = took.compareTo(shortest) < 0 ? took : shortest;
    }
    return shortest;
  }

  private static void await(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + LONG.toNanos();
    while (!condition.call()) {
      assertThat(System.nanoTime() - deadline).as(what).isNegative();
      Thread.sleep(5);
    }
  }

  private static Duration since(long began) {
    return Duration.ofNanos(System.nanoTime() - began);
  }

  private Object within(Duration limit, Callable<Object> body) throws Exception {
    return new Call(
            Optional.of(ground.namespace), Optional.empty(), Optional.of(Instant.now().plus(limit)))
        .call(body::call);
  }

  @Test
  void whoever_waits_for_a_task_that_was_created_with_nobody_to_tell_keeps_it() throws Exception {
    hanging.add("Create");
    assertThatThrownBy(() -> within(PATIENCE, () -> runtime.create(request())))
        .isInstanceOf(DeadlineExceededException.class);
    String id = named("create", "create").id();
    hanging.clear();
    release.countDown();
    assertThat(operations.join(id, LONG).outcome()).contains(Operation.DONE);
    within(LONG, () -> runtime.waitFor("web", ""));
    assertThatThrownBy(() -> within(LONG, () -> runtime.create(another())))
        .isInstanceOf(AlreadyExistsException.class);
  }

  /** The same container with another request for its task. */
  private CreateTask another() {
    CreateTask plain = request();
    return new CreateTask(
        plain.container(),
        plain.rootfs(),
        new Stdio("", "/dev/null", "", false),
        Optional.empty(),
        "",
        "",
        plain.taskApiAddress(),
        plain.taskApiVersion());
  }

  private void abandonedInCreate() throws Exception {
    hanging.add("Create");
    await(
        "the request to the shim",
        () -> {
          assertThatThrownBy(() -> within(PATIENCE, () -> runtime.create(request())))
              .isInstanceOf(DeadlineExceededException.class);
          return calls.contains("Create");
        });
    hanging.clear();
  }

  @Test
  void mounts_of_an_abandoned_creation_are_given_up_before_the_next_has_its_own() throws Exception {
    abandonedInCreate();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Object> next = threads.submit(() -> within(LONG, () -> runtime.create(another())));
      assertThatThrownBy(() -> next.get(500, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      release.countDown();
      assertThat(next.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(42);
    }
    // the first one's mounts stay until its shim has let go of them
    assertThat(calls)
        .containsExactly("activate", "Create", "Delete", "deactivate", "activate", "Create");
  }

  @Test
  void a_name_is_given_back_when_the_mounts_under_it_are_given_up() throws Exception {
    within(LONG, () -> runtime.create(request()));
    hanging.add("deactivate");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Object> deletion = threads.submit(() -> within(LONG, () -> runtime.delete("web")));
      var _ = named("delete", "mounts");
      Future<Object> next = threads.submit(() -> within(LONG, () -> runtime.create(request())));
      assertThatThrownBy(() -> next.get(500, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      release.countDown();
      assertThat(deletion.get(LONG.toSeconds(), TimeUnit.SECONDS)).isNotNull();
      assertThat(next.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo(42);
    }
    assertThat(calls)
        .containsExactly("activate", "Create", "Delete", "deactivate", "activate", "Create");
  }

  @Test
  void a_deletion_of_an_abandoned_creation_answers_when_nothing_is_left_of_it() throws Exception {
    abandonedInCreate();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Object> deletion = threads.submit(() -> within(LONG, () -> runtime.delete("web")));
      await(
          "the end of the creation",
          () -> operations.list(List.of("kind==create"), false).isEmpty());
      assertThatThrownBy(() -> deletion.get(500, TimeUnit.MILLISECONDS))
          .isInstanceOf(TimeoutException.class);
      release.countDown();
      assertThatThrownBy(() -> deletion.get(LONG.toSeconds(), TimeUnit.SECONDS))
          .hasCauseInstanceOf(NotFoundException.class);
      assertThat(calls).containsExactly("activate", "Create", "Delete", "deactivate");
      assertThat(ground.bundles.list()).isEmpty();
    }
  }

  @Test
  void a_deletion_waits_no_longer_than_its_caller() throws Exception {
    abandonedInCreate();
    assertThatThrownBy(() -> within(PATIENCE, () -> runtime.delete("web")))
        .isInstanceOf(UnavailableException.class)
        .hasMessageContaining("still");
    release.countDown();
    assertThatThrownBy(() -> within(LONG, () -> runtime.delete("web")))
        .isInstanceOf(NotFoundException.class); // so that nothing is under way at the end
  }
}

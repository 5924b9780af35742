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
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.ttrpc.TtrpcServer;
import io.jcontainerd.ttrpc.TtrpcService;
import io.jcontainerd.ttrpc.UnixSockets;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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
@Timeout(60)
class TaskStagesTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration PATIENCE = Duration.ofMillis(300);

  private final OperationRegistry operations = new OperationRegistry();
  private final Set<String> hanging = ConcurrentHashMap.newKeySet();
  private final CountDownLatch release = new CountDownLatch(1);
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
            List.of(ground.binaries(Timeouts.DEFAULT)),
            ground.processes,
            ground.events,
            Optional.of(hung(MountManager.class, manager)),
            SandboxEndpoints.NONE,
            operations,
            Timeouts.DEFAULT);
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
    if (hanging.contains(what)) {
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
      within(Duration.ofSeconds(20), () -> runtime.create(request()));
    }
    hanging.add(port);
    long began = System.nanoTime();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Object> first = threads.submit(() -> within(PATIENCE, call));
      Operation named = named(kind, stage);
      assertThat(since(began)).isLessThan(SECOND);
      assertThat(named.waitsFor()).isNotEmpty();
      assertThatThrownBy(first::get).hasCauseInstanceOf(DeadlineExceededException.class);
      Future<Object> again = threads.submit(() -> within(Duration.ofSeconds(20), call));
      while (operations.get(named.id(), false).joined() == 0) {
        Thread.onSpinWait();
      }
      long released = System.nanoTime();
      hanging.clear();
      release.countDown();
      assertThat(again.get(20, TimeUnit.SECONDS)).isNotNull();
      assertThat(since(released)).isLessThan(SECOND);
    }
    while (!operations.list(List.of(), false).isEmpty()) {
      Thread.onSpinWait(); // the answer comes a moment before the end
    }
  }

  private Operation named(String kind, String stage) {
    while (true) {
      Optional<Operation> found =
          operations.list(List.of("kind==" + kind, "key==web"), true).stream()
              .filter(operation -> operation.stage().equals(stage))
              .findFirst();
      if (found.isPresent()) {
        return found.get();
      }
      Thread.onSpinWait();
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
    assertThat(operations.join(id, Duration.ofSeconds(20)).outcome()).contains(Operation.DONE);
    within(Duration.ofSeconds(20), () -> runtime.waitFor("web", ""));
    CreateTask plain = request();
    var another =
        new CreateTask(
            plain.container(),
            List.of(),
            Stdio.NONE,
            Optional.empty(),
            "",
            "",
            plain.taskApiAddress(),
            plain.taskApiVersion());
    assertThatThrownBy(() -> within(Duration.ofSeconds(20), () -> runtime.create(another)))
        .isInstanceOf(AlreadyExistsException.class);
  }
}

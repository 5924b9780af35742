package io.jcontainerd.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapParams;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.containers.Container;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.sandbox.ShimSandboxes;
import io.jcontainerd.runtime.shim.BinaryShimLauncher;
import io.jcontainerd.runtime.shim.ShimBinaries;
import io.jcontainerd.testkit.contract.InNamespace;
import io.jcontainerd.testkit.time.Soon;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Sandboxes that a shim keeps, and tasks that it serves. */
@Tag("root")
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class ShimSandboxesTest {
  private Ground ground;
  private ScriptedSandboxShim shim;
  private Bundles bundles;
  private ShimSandboxes sandboxes;
  private SandboxController controller;

  @BeforeEach
  void start() throws Exception {
    ground = new Ground();
    shim = new ScriptedSandboxShim(ground.top);
    bundles =
        new Bundles(
            new LinuxFiles(),
            new LinuxKernel(ground.top.resolve("k")),
            ground.top.resolve("boxes"),
            ground.top.resolve("boxes-root"));
    begin();
  }

  private void begin() throws Exception {
    var launcher =
        new BinaryShimLauncher(
            new ShimBinaries(ShimBinaries.searchPath("/usr/bin")),
            bundles,
            ground.processes,
            ground.environment,
            ground.logs,
            Ground.PATIENT);
    sandboxes = new ShimSandboxes(bundles, launcher, Ground.PATIENT);
    sandboxes.recover();
    controller = InNamespace.of(ground.namespace, SandboxController.class, sandboxes);
  }

  /** As a daemon that was killed and started again. */
  private void restart() throws Exception {
    sandboxes.close();
    begin();
  }

  @AfterEach
  void stop() throws Exception {
    sandboxes.close();
    shim.close();
    bundles.list().forEach(bundles::delete);
    ground.close();
  }

  private static TypedValue value(String text) {
    return new TypedValue("example.com/" + text, text.getBytes(StandardCharsets.UTF_8));
  }

  private SandboxController.Creation creation(String id) {
    return new SandboxController.Creation(
        new Sandbox(
            id,
            "shim",
            new Sandbox.Runtime(shim.program(), Optional.of(value("runtime"))),
            Optional.of(value("spec")),
            Map.of(),
            Map.of(),
            Instant.EPOCH,
            Instant.EPOCH),
        List.of(new Mount("bind", "/src", "", List.of("ro"))),
        Optional.of(value("options")),
        "/run/netns/one",
        Map.of("a", "b"));
  }

  private Path path(String id) {
    return bundles.at(ground.namespace, id).path();
  }

  private static void gone(Path path) {
    Soon.until(path + " is gone", () -> Files.notExists(path));
  }

  @Test
  void a_sandbox_lives_from_its_creation_to_its_shutdown() throws Exception {
    controller.create(creation("box"));
    assertThat(shim.creation().getBundlePath()).isEqualTo(path("box").toString());
    assertThat(shim.creation().getNetnsPath()).isEqualTo("/run/netns/one");
    assertThat(shim.creation().getAnnotationsMap()).isEqualTo(Map.of("a", "b"));
    assertThat(shim.creation().getOptions().getTypeUrl()).isEqualTo("example.com/options");
    assertThat(shim.creation().getRootfs(0).getSource()).isEqualTo("/src");
    var parameters = BootstrapParams.parseFrom(Files.readAllBytes(ground.top.resolve("input")));
    assertThat(parameters.getExtensions(0).getValue().getTypeUrl())
        .isEqualTo("example.com/runtime");
    assertThat(path("box").resolve("config.json")).hasContent("spec");

    SandboxController.Started started = controller.start("box");
    assertThat(started.pid()).isEqualTo(42);
    assertThat(started.createdAt()).isEqualTo(ScriptedSandboxShim.BEGAN);
    assertThat(started.spec()).map(TypedValue::typeUrl).contains("example.com/spec");
    assertThat(started.endpoint())
        .isEqualTo(new SandboxController.Endpoint("ttrpc+unix://" + ground.top.resolve("box"), 3));

    SandboxController.Status status = controller.status("box", true);
    assertThat(status.state()).isEqualTo("SANDBOX_READY");
    assertThat(status.info()).isEqualTo(Map.of("more", "words"));
    assertThat(status.createdAt()).contains(ScriptedSandboxShim.BEGAN);
    assertThat(status.exitedAt()).isEmpty();
    assertThat(status.endpoint()).isEqualTo(started.endpoint());
    assertThat(controller.status("box", false).info()).isEmpty();
    assertThat(controller.platform("box")).isEqualTo(new Platform("linux", "riscv64", ""));
    assertThat(controller.metrics("box").data())
        .map(TypedValue::typeUrl)
        .contains("example.com/numbers");

    controller.stop("box", Duration.ofSeconds(9));
    assertThat(shim.asked).contains("stop within 9");
    assertThat(controller.await("box"))
        .isEqualTo(new SandboxController.End(7, ScriptedSandboxShim.ENDED));
    controller.shutdown("box");
    assertThat(path("box")).doesNotExist();
    assertThat(shim.actions()).containsExactly("start");
    assertThatThrownBy(() -> controller.shutdown("box")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void a_sandbox_without_a_spec_has_a_bundle_without_one() throws Exception {
    SandboxController.Creation whole = creation("box");
    controller.create(
        new SandboxController.Creation(
            new Sandbox(
                "box",
                "shim",
                whole.sandbox().runtime(),
                Optional.empty(),
                Map.of(),
                Map.of(),
                Instant.EPOCH,
                Instant.EPOCH),
            List.of(),
            Optional.empty(),
            "",
            Map.of()));
    assertThat(path("box").resolve("config.json")).doesNotExist();
    assertThat(path("box").resolve("bootstrap.json")).exists();
  }

  @Test
  void an_id_is_given_once_and_a_runtime_is_needed() throws Exception {
    controller.create(creation("box"));
    assertThatThrownBy(() -> controller.create(creation("box")))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(controller.status("box", false).state()).isNotEmpty();
    var nothing =
        new SandboxController.Creation(
            new Sandbox(
                "other",
                "shim",
                Sandbox.Runtime.NONE,
                Optional.empty(),
                Map.of(),
                Map.of(),
                Instant.EPOCH,
                Instant.EPOCH),
            List.of(),
            Optional.empty(),
            "",
            Map.of());
    assertThatThrownBy(() -> controller.create(nothing))
        .isInstanceOf(InvalidArgumentException.class);
    assertThat(bundles.list()).extracting(Bundle::id).containsExactly("box");
  }

  @Test
  void an_unknown_sandbox_is_over() throws Exception {
    controller.stop("none", Duration.ZERO);
    SandboxController.Status status = controller.status("none", false);
    assertThat(status.state()).isEmpty();
    assertThat(status.exitedAt()).isPresent();
    List<Callable<?>> questions =
        List.of(
            () -> controller.start("none"),
            () -> controller.await("none"),
            () -> controller.platform("none"),
            () -> controller.metrics("none"));
    for (Callable<?> question : questions) {
      assertThatThrownBy(question::call).isInstanceOf(NotFoundException.class);
    }
    assertThatThrownBy(() -> controller.shutdown("none")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void nothing_is_left_of_a_creation_that_fails() throws Exception {
    shim.refusesCreate = true;
    assertThatThrownBy(() -> controller.create(creation("box")))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("not like this");
    assertThat(path("box")).doesNotExist();
    assertThat(shim.asked).containsExactly("shutdown");
    assertThat(shim.actions()).containsExactly("start", "delete"); // for it knew of nothing
    assertThat(controller.status("box", false).state()).isEmpty();
  }

  @Test
  void a_shim_whose_sandbox_does_not_start_is_ended() throws Exception {
    controller.create(creation("box"));
    shim.refusesStart = true;
    assertThatThrownBy(() -> controller.start("box"))
        .isInstanceOf(UnknownException.class)
        .hasMessageContaining("no start today");
    assertThat(path("box")).doesNotExist();
    assertThat(shim.asked).containsExactly("shutdown");
    assertThat(shim.actions()).containsExactly("start");
  }

  @Test
  void a_shim_that_dies_over_a_start_is_cleaned_up_after() throws Exception {
    controller.create(creation("box"));
    shim.diesAt("start");
    assertThatThrownBy(() -> controller.start("box")).isInstanceOf(UnavailableException.class);
    gone(path("box"));
    assertThat(shim.actions()).containsExactly("start", "delete");
  }

  @Test
  void a_shim_that_dies_over_its_shutdown_is_cleaned_up_after() throws Exception {
    controller.create(creation("box"));
    shim.diesAt("shutdown");
    controller.shutdown("box");
    assertThat(path("box")).doesNotExist();
    assertThat(shim.actions()).containsExactly("start", "delete");
  }

  @Test
  void a_sandbox_is_found_again_after_a_restart() throws Exception {
    controller.create(creation("box"));
    controller.start("box");
    restart();
    assertThat(controller.status("box", false).state()).isEqualTo("SANDBOX_READY");
    assertThat(sandboxes.find(ground.namespace, "box")).isPresent();
    assertThat(shim.actions()).containsExactly("start");
    controller.stop("box", Duration.ZERO);
    controller.shutdown("box");
    assertThat(path("box")).doesNotExist();
  }

  @Test
  void a_dead_shim_is_cleaned_up_after_and_waiters_are_told_of_an_end() throws Exception {
    controller.create(creation("box"));
    controller.start("box");
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<SandboxController.End> end = threads.submit(() -> controller.await("box"));
      Soon.until("the shim is asked", () -> shim.asked.contains("wait"));
      shim.kill();
      assertThat(end.get().status()).isEqualTo(255);
    }
    gone(path("box"));
    assertThat(shim.actions()).containsExactly("start", "delete");
    assertThat(controller.status("box", false).state()).isEmpty();
    assertThat(sandboxes.find(ground.namespace, "box")).isEmpty();
  }

  @Test
  void a_shim_that_died_while_nobody_looked_is_cleaned_up_after_at_the_next_start()
      throws Exception {
    controller.create(creation("box"));
    sandboxes.close();
    shim.kill();
    begin();
    assertThat(path("box")).doesNotExist();
    assertThat(shim.actions()).containsExactly("start", "delete");
    assertThatThrownBy(() -> controller.await("box")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void tasks_of_a_sandbox_are_served_by_its_shim_and_leave_it_alone() throws Exception {
    controller.create(creation("box"));
    controller.start("box");
    LocalTaskRuntime runtime = tasks();
    try {
      int pid = Call.in(ground.namespace).call(() -> runtime.create(member("task", "box")));
      assertThat(pid).isEqualTo(43);
      assertThat(shim.tasks).containsExactly("task");
      assertThat(shim.actions()).containsExactly("start"); // the sandbox's own
      assertThat(ground.bundles.at(ground.namespace, "task").path().resolve("sandbox"))
          .hasContent("box");
      Call.in(ground.namespace).call(() -> runtime.delete("task"));
      assertThat(ground.bundles.list()).isEmpty();
      assertThat(shim.asked).isEmpty();
      assertThat(controller.status("box", false).state()).isEqualTo("SANDBOX_READY");
    } finally {
      runtime.close();
    }
    controller.shutdown("box");
  }

  @Test
  void a_task_that_joined_is_known_to_have_after_a_restart() throws Exception {
    controller.create(creation("box"));
    controller.start("box");
    try (LocalTaskRuntime first = tasks()) {
      int pid = Call.in(ground.namespace).call(() -> first.create(member("task", "box")));
      assertThat(pid).isEqualTo(43);
    }
    restart();
    try (LocalTaskRuntime second = tasks()) {
      second.recover((_, _) -> Optional.of(shim.program()));
      assertThat(Call.in(ground.namespace).call(() -> second.delete("task")).status()).isEqualTo(1);
    }
    assertThat(shim.asked).isEmpty();
    controller.shutdown("box");
  }

  private LocalTaskRuntime tasks() {
    return new LocalTaskRuntime(
        ground.bundles,
        List.of(ground.binaries(Ground.PATIENT)),
        ground.processes,
        ground.events,
        Optional.empty(),
        sandboxes,
        new OperationRegistry(),
        Ground.PATIENT);
  }

  private CreateTask member(String id, String sandbox) {
    Container base = ground.sleeping(id).container();
    var container =
        new Container(
            id,
            Map.of(),
            "",
            base.runtime(),
            base.spec(),
            "",
            "",
            Map.of(),
            sandbox,
            Instant.EPOCH,
            Instant.EPOCH);
    return new CreateTask(container, List.of(), Stdio.NONE, Optional.empty(), "", "", "", 0);
  }
}

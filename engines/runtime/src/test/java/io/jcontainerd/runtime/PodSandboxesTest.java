package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.Platform;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.sandboxes.Sandbox;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.oci.runtime.LinuxNamespace;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.sandbox.PodSandboxes;
import io.jcontainerd.testkit.contract.InNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Pods whose namespaces files hold, and pods whose namespaces a process holds. */
@Tag("root")
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class PodSandboxesTest {
  private static final Platform PLATFORM = new Platform("linux", "riscv64", "");

  private Ground ground;
  private Bundles bundles;
  private LocalTaskRuntime tasks;
  private SandboxController pods;

  @BeforeEach
  void start() throws Exception {
    ground = new Ground();
    bundles =
        new Bundles(
            new LinuxFiles(),
            new LinuxKernel(ground.top.resolve("k")),
            ground.top.resolve("pods"),
            ground.top.resolve("pods-root"));
    begin();
  }

  private void begin() throws Exception {
    tasks = ground.runtime();
    var made =
        new PodSandboxes(
            bundles,
            new LinuxFiles(),
            new LinuxKernel(ground.top.resolve("k")),
            ground.processes,
            tasks,
            PLATFORM);
    made.recover();
    pods = InNamespace.of(ground.namespace, SandboxController.class, made);
  }

  /** As a daemon that was killed and started again. */
  private void restart() throws Exception {
    tasks.close();
    begin();
  }

  @AfterEach
  void stop() throws Exception {
    for (Bundle left : bundles.list()) {
      pods.shutdown(left.id());
    }
    assertThat(mounts()).isEmpty();
    assertThat(ground.remainsAtLast()).isEmpty();
    tasks.close();
    ground.close();
  }

  private List<String> mounts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
        .filter(line -> line.contains(ground.top.toString()))
        .toList();
  }

  private static SandboxController.Creation creation(
      String id, Optional<Spec> spec, List<Mount> rootfs, String netns) {
    return new SandboxController.Creation(
        new Sandbox(
            id,
            "podsandbox",
            spec.flatMap(s -> s.json().object("process")).isPresent()
                ? new Sandbox.Runtime(Ground.SHIM, Optional.empty())
                : Sandbox.Runtime.NONE,
            spec.map(s -> new TypedValue(Spec.TYPE_URL, s.toBytes())),
            Map.of(),
            Map.of(),
            Instant.EPOCH,
            Instant.EPOCH),
        rootfs,
        Optional.empty(),
        netns,
        Map.of());
  }

  private static SandboxController.Creation plain(String id) {
    return creation(id, Optional.empty(), List.of(), "");
  }

  private static SandboxController.Creation described(String id, String spec) {
    return creation(id, Optional.of(Spec.parse(spec.getBytes(UTF_8))), List.of(), "");
  }

  private static Map<String, String> paths(Optional<TypedValue> document) {
    var paths = new java.util.TreeMap<String, String>();
    for (LinuxNamespace namespace : Spec.parse(document.orElseThrow().value()).namespaces()) {
      paths.put(namespace.type(), namespace.path().orElseThrow());
    }
    return paths;
  }

  private static String path(Map<String, String> paths, String type) {
    return Objects.requireNonNull(paths.get(type), type);
  }

  private static Object inode(String path) throws IOException {
    return Files.getAttribute(Path.of(path), "unix:ino");
  }

  /** What a program says inside the namespaces. */
  private String inside(Map<String, String> paths, String... program) throws Exception {
    List<String> command = new ArrayList<>(List.of("nsenter"));
    paths.forEach(
        (type, path) ->
            command.add("--" + (type.equals(LinuxNamespace.NETWORK) ? "net" : type) + "=" + path));
    command.add("--");
    command.addAll(List.of(program));
    Processes.Finished end =
        ground.processes.run(
            new Processes.Spawn(command, System.getenv(), Path.of("/"), new byte[0], false),
            Duration.ofSeconds(60),
            1 << 16);
    assertThat(end.status()).as(new String(end.error(), UTF_8)).isZero();
    return new String(end.output(), UTF_8).strip();
  }

  @Test
  void a_pod_without_a_process_lives_from_its_creation_to_its_shutdown() throws Exception {
    pods.create(plain("pod"));
    assertThat(pods.status("pod", false).state()).isEqualTo("SANDBOX_NOTREADY");
    SandboxController.Started started = pods.start("pod");
    assertThat(started.pid()).isZero();
    assertThat(started.endpoint()).isEqualTo(SandboxController.Endpoint.NONE);
    Map<String, String> paths = paths(started.spec());
    assertThat(paths).containsOnlyKeys("network", "ipc", "uts");
    assertThat(inode(path(paths, "network"))).isNotEqualTo(inode("/proc/self/ns/net"));
    assertThat(inode(path(paths, "ipc"))).isNotEqualTo(inode("/proc/self/ns/ipc"));
    assertThat(inode(path(paths, "uts"))).isNotEqualTo(inode("/proc/self/ns/uts"));
    assertThat(inside(paths, "readlink", "/proc/self/ns/net"))
        .isEqualTo("net:[" + inode(path(paths, "network")) + "]");
    assertThat(inside(paths, "ip", "-o", "link", "show", "lo")).contains("LOOPBACK,UP");
    SandboxController.Status status = pods.status("pod", true);
    assertThat(status.state()).isEqualTo("SANDBOX_READY");
    assertThat(status.createdAt()).contains(started.createdAt());
    assertThat(status.exitedAt()).isEmpty();
    assertThat(paths(status.extra())).isEqualTo(paths);
    assertThat(status.info()).containsEntry("namespace.network", path(paths, "network"));
    assertThat(pods.platform("pod")).isEqualTo(PLATFORM);
    assertThat(pods.metrics("pod").data()).isEmpty();
    assertThatThrownBy(() -> pods.start("pod")).isInstanceOf(FailedPreconditionException.class);

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<SandboxController.End> end = threads.submit(() -> pods.await("pod"));
      pods.stop("pod", Duration.ZERO);
      assertThat(end.get().status()).isZero();
      SandboxController.Status stopped = pods.status("pod", false);
      assertThat(stopped.state()).isEqualTo("SANDBOX_NOTREADY");
      assertThat(stopped.exitedAt()).contains(end.get().at());
    }
    assertThat(Path.of(path(paths, "network"))).exists();
    pods.shutdown("pod");
    assertThat(mounts()).isEmpty();
    assertThat(bundles.list()).isEmpty();
    assertThat(pods.status("pod", false).state()).isEmpty();
    pods.create(plain("pod")); // the name is free again
  }

  @Test
  void a_pod_is_what_its_specification_says() throws Exception {
    pods.create(
        described(
            "pod",
            """
            {"hostname":"a-pod","linux":{
              "namespaces":[{"type":"uts"},{"type":"network"},{"type":"mount"}],
              "sysctl":{"net.ipv4.ip_unprivileged_port_start":"0"}}}
            """));
    Map<String, String> paths = paths(pods.start("pod").spec());
    assertThat(paths).containsOnlyKeys("network", "uts");
    assertThat(inside(paths, "hostname")).isEqualTo("a-pod");
    assertThat(inside(paths, "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"))
        .isEqualTo("0");
  }

  @Test
  void a_network_namespace_is_joined_where_one_is_named() throws Exception {
    pods.create(plain("maker"));
    String theirs = path(paths(pods.start("maker").spec()), "network");
    pods.create(creation("pod", Optional.empty(), List.of(), theirs));
    Map<String, String> paths = paths(pods.start("pod").spec());
    assertThat(paths).containsEntry("network", theirs).containsOnlyKeys("network", "ipc", "uts");
    pods.shutdown("pod");
    assertThat(inode(theirs)).isNotEqualTo(inode("/proc/self/ns/net"));
  }

  @Test
  void what_would_change_the_host_is_refused_and_leaves_nothing() throws Exception {
    for (String refused :
        List.of(
            "{\"linux\":{\"namespaces\":[{\"type\":\"uts\"}],\"sysctl\":{\"net.x.y\":\"1\"}}}",
            "{\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"sysctl\":{\"vm.panic\":\"1\"}}}",
            "{\"linux\":{\"namespaces\":[{\"type\":\"network\"}],"
                + "\"sysctl\":{\"net../../kernel/panic\":\"1\"}}}",
            "{\"hostname\":\"x\",\"linux\":{\"namespaces\":[{\"type\":\"ipc\"}]}}",
            "{\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}")) {
      assertThatThrownBy(() -> pods.create(described("pod", refused)))
          .as(refused)
          .isInstanceOf(InvalidArgumentException.class);
    }
    String absent =
        "{\"linux\":{\"namespaces\":[{\"type\":\"network\"}],\"sysctl\":{\"net.no.such\":\"1\"}}}";
    assertThatThrownBy(() -> pods.create(described("pod", absent))).hasMessageContaining("unshare");
    assertThat(mounts()).isEmpty();
    assertThat(bundles.list()).isEmpty();
  }

  @Test
  void an_id_is_given_once() throws Exception {
    pods.create(plain("pod"));
    assertThatThrownBy(() -> pods.create(plain("pod"))).isInstanceOf(AlreadyExistsException.class);
    assertThat(pods.start("pod").pid()).isZero();
  }

  @Test
  void an_unknown_pod_is_over() throws Exception {
    pods.stop("none", Duration.ZERO);
    assertThat(pods.status("none", false).state()).isEmpty();
    assertThat(pods.status("none", false).exitedAt()).isPresent();
    List<Callable<?>> questions =
        List.of(
            () -> pods.start("none"),
            () -> pods.await("none"),
            () -> pods.platform("none"),
            () -> pods.metrics("none"));
    for (Callable<?> question : questions) {
      assertThatThrownBy(question::call).isInstanceOf(NotFoundException.class);
    }
    assertThatThrownBy(() -> pods.shutdown("none")).isInstanceOf(NotFoundException.class);
  }

  @Test
  void pods_are_found_again_after_a_restart() throws Exception {
    pods.create(plain("created"));
    pods.create(plain("running"));
    Map<String, String> paths = paths(pods.start("running").spec());
    pods.create(plain("stopped"));
    pods.start("stopped");
    pods.stop("stopped", Duration.ZERO);
    SandboxController.End end = pods.await("stopped");
    restart();
    assertThat(paths(pods.start("created").spec())).hasSize(3);
    assertThat(pods.status("running", false).state()).isEqualTo("SANDBOX_READY");
    assertThat(paths(pods.status("running", false).extra())).isEqualTo(paths);
    assertThat(pods.await("stopped")).isEqualTo(end);
    for (String id : List.of("created", "running", "stopped")) {
      pods.shutdown(id);
    }
    assertThat(mounts()).isEmpty();
  }

  @Test
  void a_pod_that_is_not_whole_is_removed_at_the_next_start() throws Exception {
    pods.create(plain("half"));
    pods.create(plain("lost"));
    pods.create(plain("whole"));
    // as a daemon leaves it that is killed while it makes one
    Files.delete(bundles.at(ground.namespace, "half").path().resolve("sandbox.json"));
    // as a reboot leaves it where the folder survives
    new LinuxKernel(ground.top.resolve("k"))
        .unmountAll(bundles.at(ground.namespace, "lost").path().resolve("namespaces/net"));
    restart();
    assertThat(bundles.list()).extracting(Bundle::id).containsExactly("whole");
    assertThat(mounts()).hasSize(3).allMatch(line -> line.contains("/whole/"));
  }

  // ---- with a process ----

  private SandboxController.Creation held(String id, String... args) {
    Spec spec =
        ground
            .spec(id, args)
            .withNamespace(LinuxNamespace.fresh(LinuxNamespace.UTS))
            .withNamespace(LinuxNamespace.fresh(LinuxNamespace.NETWORK))
            .withHostname("held");
    return creation(id, Optional.of(spec), List.of(), "");
  }

  @Test
  void a_process_holds_the_namespaces_of_a_pod_that_names_one() throws Exception {
    Assumptions.assumeTrue(Ground.usable(), "needs the stock shim, runc and busybox");
    pods.create(held("pod", "/bin/sleep", "600"));
    SandboxController.Started started = pods.start("pod");
    assertThat(started.pid()).isPositive();
    Map<String, String> paths = paths(started.spec());
    assertThat(paths)
        .containsEntry("pid", "/proc/" + started.pid() + "/ns/pid")
        .containsEntry("network", "/proc/" + started.pid() + "/ns/net")
        .containsKeys("ipc", "uts");
    assertThat(inode(path(paths, "pid"))).isNotEqualTo(inode("/proc/self/ns/pid"));
    assertThat(pods.metrics("pod").data()).isPresent();
    restart();
    assertThat(pods.status("pod", false).state()).isEqualTo("SANDBOX_READY");
    assertThat(pods.status("pod", false).pid()).isEqualTo(started.pid());
    pods.stop("pod", Duration.ofMillis(200));
    assertThat(pods.await("pod").status()).isEqualTo(137);
    assertThat(pods.status("pod", false).state()).isEqualTo("SANDBOX_NOTREADY");
    pods.stop("pod", Duration.ZERO); // once more does no harm
    pods.shutdown("pod");
    assertThat(bundles.list()).isEmpty();
  }

  @Test
  void a_pod_whose_process_ended_is_not_ready() throws Exception {
    Assumptions.assumeTrue(Ground.usable(), "needs the stock shim, runc and busybox");
    pods.create(held("pod", "/bin/sh", "-c", "exit 7"));
    pods.start("pod");
    SandboxController.End end = pods.await("pod");
    assertThat(end.status()).isEqualTo(7);
    SandboxController.Status status = pods.status("pod", false);
    assertThat(status.state()).isEqualTo("SANDBOX_NOTREADY");
    assertThat(status.exitedAt()).contains(end.at());
    pods.shutdown("pod");
    assertThat(bundles.list()).isEmpty();
  }

  private TaskRuntime tasks() {
    return InNamespace.of(ground.namespace, TaskRuntime.class, tasks);
  }

  private void leaveUnfinished(Bundle bundle, String state) {
    bundles.write(bundle, "sandbox.json", state.getBytes(UTF_8), 0600);
  }

  @Test
  void a_task_of_another_container_of_that_id_is_left_alone() throws Exception {
    Assumptions.assumeTrue(Ground.usable(), "needs the stock shim, runc and busybox");
    tasks().create(ground.sleeping("x"));
    tasks().start("x", "");
    assertThatThrownBy(() -> pods.create(held("x", "/bin/sleep", "600")))
        .isInstanceOf(AlreadyExistsException.class);
    assertThat(bundles.list()).isEmpty();
    assertThat(tasks().get("x", "").status()).isEqualTo(TaskStatus.RUNNING);
    // as a daemon leaves it that is killed at that moment, or while it writes
    for (String state : List.of("{\"phase\":\"MAKING\",\"process\":true}", "{")) {
      leaveUnfinished(
          bundles.create(ground.namespace, "x", new byte[0], OptionalInt.empty(), ""), state);
      restart();
      assertThat(bundles.list()).isEmpty();
      assertThat(tasks().get("x", "").status()).as(state).isEqualTo(TaskStatus.RUNNING);
    }
    tasks().kill("x", "", 9, false);
    assertThat(tasks().waitFor("x", "").status()).isEqualTo(137);
    tasks().delete("x");
  }

  @Test
  void a_pod_that_is_not_whole_goes_with_its_process() throws Exception {
    Assumptions.assumeTrue(Ground.usable(), "needs the stock shim, runc and busybox");
    pods.create(held("half", "/bin/sleep", "600"));
    leaveUnfinished(
        bundles.at(ground.namespace, "half"), "{\"phase\":\"MAKING\",\"process\":true}");
    restart();
    assertThat(bundles.list()).isEmpty();
    assertThat(ground.remainsAtLast()).isEmpty();
  }

  @Test
  void a_pod_that_was_never_started_goes_with_its_process() throws Exception {
    Assumptions.assumeTrue(Ground.usable(), "needs the stock shim, runc and busybox");
    pods.create(held("pod", "/bin/sleep", "600"));
    pods.shutdown("pod");
    assertThat(ground.remainsAtLast()).isEmpty();
  }
}

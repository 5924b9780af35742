package io.jcontainerd.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.types.runc.options.Options;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.shim.HostShimLauncher;
import io.jcontainerd.runtime.shim.Shim;
import io.jcontainerd.runtime.shim.ShimGroup;
import io.jcontainerd.runtime.shim.ShimLauncher;
import io.jcontainerd.runtime.shim.Timeouts;
import io.jcontainerd.testkit.time.Soon;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Tasks that share a shim host, which is started on first need, outlives the daemon, and is
 * replaced when it dies. Runs with a host in the small, or with the one whose command is in the
 * system property {@code jcontainerd.shimHost}.
 */
@Tag("root")
@Timeout(300)
class HostShimTest {
  private static final String RUNTIME = "io.containerd.runc.v2";

  private static final Path SHIM = Path.of("/opt/bin/containerd-shim-jrunc-v2");

  /** Gives up who does not say soon whether it has a task. */
  private static final Timeouts HASTY =
      new Timeouts(
          Ground.PATIENT.shimCleanup(),
          Duration.ofSeconds(2),
          Ground.PATIENT.shimShutdown(),
          Ground.PATIENT.taskState(),
          Ground.PATIENT.shimStats(),
          Ground.PATIENT.connect(),
          Ground.PATIENT.shimStart(),
          Ground.PATIENT.operation());

  private Ground ground;
  private HostShimLauncher hosts;
  private LocalTaskRuntime runtime;
  private final List<Path> groups = new ArrayList<>();

  private interface Body {
    void run() throws Exception;
  }

  @BeforeEach
  void start() throws Exception {
    ground = new Ground();
    restart(ShimGroup.NODE, Ground.PATIENT);
  }

  private void restart(ShimGroup group) throws InterruptedException {
    restart(group, Ground.PATIENT);
  }

  private void restart(ShimGroup group, Timeouts timeouts) throws InterruptedException {
    hosts =
        new HostShimLauncher(
            command(),
            SHIM,
            Set.of(RUNTIME),
            group,
            ground.bundles,
            ground.processes,
            ground.environment,
            ground.logs,
            ground.top.resolve("hosts"),
            () -> Optional.of(Path.of("/usr/sbin/runc")),
            timeouts);
    List<ShimLauncher> launchers = List.of(hosts, ground.binaries(timeouts));
    runtime =
        new LocalTaskRuntime(ground.bundles, launchers, ground.processes, ground.events, timeouts);
    runtime.recover((_, _) -> Optional.empty());
  }

  private void leave() {
    runtime.close();
    hosts.close();
  }

  @AfterEach
  void stop() throws Exception {
    leave();
    for (ProcessHandle host : hostProcesses()) {
      host.destroyForcibly();
      host.onExit().join();
    }
    for (Path group : groups) {
      remove(group);
    }
    List<String> left = ground.remainsAtLast();
    ground.close();
    assertThat(left).isEmpty();
  }

  private static boolean real() {
    return System.getProperty("jcontainerd.shimHost") != null;
  }

  private static List<String> command() {
    String given = System.getProperty("jcontainerd.shimHost");
    if (given != null) {
      return List.of(given.split(" ", -1));
    }
    String resource =
        Objects.requireNonNull(FakeHost.class.getResource("FakeHost.class")).getPath();
    String classes = resource.substring(0, resource.indexOf("io/jcontainerd/"));
    String path =
        classes
            + ":"
            + System.getProperty("java.class.path", "")
            + ":"
            + System.getProperty("jdk.module.path", "");
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx64m",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-cp",
        path,
        FakeHost.class.getName());
  }

  private List<ProcessHandle> hostProcesses() throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      for (Path p : processes.filter(p -> p.toString().matches("/proc/\\d+")).toList()) {
        try {
          String line = Files.readString(p.resolve("cmdline"));
          if (line.contains("--state\0" + ground.top.resolve("hosts"))) {
            ProcessHandle.of(Long.parseLong(p.toString().substring("/proc/".length())))
                .ifPresent(found::add);
          }
        } catch (IOException e) {
          if (Files.exists(p)) {
            throw e;
          } // else it has just ended, before or while it was read
        }
      }
    }
    return found;
  }

  private static int oomScore(long pid) throws IOException {
    return Integer.parseInt(Files.readString(Path.of("/proc/" + pid + "/oom_score_adj")).strip());
  }

  private Path hostState() throws IOException {
    try (Stream<Path> folders = Files.list(ground.top.resolve("hosts"))) {
      return folders.findFirst().orElseThrow();
    }
  }

  private void killHost() throws IOException {
    ProcessHandle host = hostProcesses().getFirst();
    host.destroyForcibly();
    host.onExit().join();
  }

  private void here(Body body) throws Exception {
    Call.in(ground.namespace)
        .call(
            () -> {
              body.run();
              return null;
            });
  }

  private CreateTask sleeping(String id) {
    CreateTask byBinary = ground.sleeping(id);
    return new CreateTask(
        byBinary.container(), List.of(), Stdio.NONE, Optional.empty(), "", RUNTIME, "", 0);
  }

  private int begin(String id) throws InterruptedException {
    runtime.create(sleeping(id));
    return runtime.start(id, "");
  }

  /** Until nobody asks the connection to a host that was killed, whose end is told a bit later. */
  private void beginWithoutOld(String id) throws InterruptedException {
    Soon.until(
        "the old connection is given up",
        () -> {
          try {
            begin(id);
            return true;
          } catch (UnavailableException e) {
            if (!String.valueOf(e.getMessage()).contains("ttrpc: closed")) {
              throw e;
            }
            return false;
          }
        });
  }

  private void end(String id) throws InterruptedException {
    runtime.kill(id, "", 9, false);
    assertThat(runtime.waitFor(id, "").status()).isEqualTo(137);
    runtime.delete(id);
  }

  @Test
  void tasks_that_start_at_once_share_one_host() throws Exception {
    here(
        () -> {
          try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> pids = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
              String id = "host-" + i;
              pids.add(threads.submit(Call.carrying(() -> begin(id))));
            }
            for (Future<Integer> pid : pids) {
              assertThat(pid.get()).isPositive();
            }
          }
          assertThat(hostProcesses()).hasSize(1);
          assertThat(oomScore(hostProcesses().getFirst().pid()))
              .isEqualTo(Math.min(1000, oomScore(ProcessHandle.current().pid()) + 1));
          assertThat(runtime.list()).hasSize(5);
          for (int i = 0; i < 5; i++) {
            end("host-" + i);
          }
          assertThat(runtime.list()).isEmpty();
          // kept for tasks to come
          assertThat(hostProcesses()).hasSize(1);
        });
  }

  @Test
  void a_bundle_names_a_shims_program_and_has_a_log_that_somebody_reads() throws Exception {
    here(
        () -> {
          begin("a");
          Path bundle = ground.bundles.at(ground.namespace, "a").path();
          assertThat(bundle.resolve("shim-binary-path")).hasContent(SHIM.toString());
          writeToLog(bundle);
          leave();
          restart(ShimGroup.NODE);
          writeToLog(bundle);
          end("a");
          assertThat(bundle).doesNotExist();
        });
  }

  /** Opening a FIFO to write waits for a reader, here for as long as the test may take. */
  private static void writeToLog(Path bundle) throws IOException {
    try (FileChannel log = FileChannel.open(bundle.resolve("log"), StandardOpenOption.WRITE)) {
      assertThat(log.write(ByteBuffer.wrap(new byte[] {'a', '\n'}))).isEqualTo(2);
    }
  }

  @Test
  void a_restarted_daemon_finds_the_host_and_its_tasks() throws Exception {
    here(
        () -> {
          int pid = begin("again");
          leave();
          restart(ShimGroup.NODE);
          assertThat(hostProcesses()).hasSize(1);
          assertThat(runtime.get("again", "").pid()).isEqualTo(pid);
          assertThat(runtime.get("again", "").status()).isEqualTo(TaskStatus.RUNNING);
          end("again");
        });
  }

  @Test
  void a_host_that_dies_is_replaced_and_its_tasks_are_taken_over() throws Exception {
    here(
        () -> {
          int pid = begin("over");
          try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Exit> waiting = threads.submit(Call.carrying(() -> runtime.waitFor("over", "")));
            killHost();
            Soon.until("another host", () -> !hostProcesses().isEmpty());
            Soon.until(
                "the task is taken over",
                () -> {
                  try {
                    return runtime.get("over", "").status() == TaskStatus.RUNNING;
                  } catch (UnavailableException e) {
                    assertThat(e).hasMessageContaining("closed");
                    return false;
                  }
                });
            assertThat(ProcessHandle.of(pid)).isPresent();
            runtime.kill("over", "", 9, false);
            // whether the code of a process that was not its child is known, is the kernel's affair
            assertThat(waiting.get().status()).isIn(137, 255);
          }
          runtime.delete("over");
        });
    assertThat(ground.events.topics()).filteredOn("/tasks/delete"::equals).hasSizeLessThan(2);
  }

  @Test
  void a_task_that_the_new_host_does_not_know_is_given_up_and_told_once() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeFalse(real(), "a real host does not forget");
    here(
        () -> {
          int pid = begin("lost");
          Files.writeString(hostState().resolve("forget"), "");
          killHost();
          ground.events.await("/tasks/delete");
          ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
          assertThatThrownBy(() -> runtime.get("lost", "")).isInstanceOf(NotFoundException.class);
        });
    assertThat(ground.events.topics()).containsExactly("/tasks/exit", "/tasks/delete");
  }

  @Test
  void a_host_that_does_not_start_says_why_and_leaves_no_bundle() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeFalse(real(), "a real host does start");
    here(
        () -> {
          begin("first");
          end("first");
          Files.writeString(hostState().resolve("broken"), "");
          killHost();
          assertThatThrownBy(() -> beginWithoutOld("second"))
              .isInstanceOf(UnavailableException.class)
              .hasMessageContaining("told to be broken");
          assertThat(ground.bundles.list()).isEmpty();
          Files.delete(hostState().resolve("broken"));
          begin("second");
          end("second");
        });
  }

  @Test
  void successors_that_end_before_they_answer_cost_no_task() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeFalse(real(), "a real host does start");
    here(
        () -> {
          int pid = begin("spared");
          Files.writeString(hostState().resolve("broken-times"), "7");
          Files.writeString(hostState().resolve("die-once"), "");
          killHost();
          long deadline = System.nanoTime() + Duration.ofSeconds(150).toNanos();
          TaskStatus status = TaskStatus.UNKNOWN;
          while (status != TaskStatus.RUNNING) {
            assertThat(System.nanoTime()).as("time").isLessThan(deadline);
            try {
              status = runtime.get("spared", "").status();
            } catch (UnavailableException e) {
              Thread.sleep(10); // the dead host's connection is still asked
            }
          }
          assertThat(runtime.get("spared", "").pid()).isEqualTo(pid);
          assertThat(hostState().resolve("broken-times")).doesNotExist();
          assertThat(hostState().resolve("die-once")).doesNotExist();
          runtime.kill("spared", "", 9, false);
          assertThat(runtime.waitFor("spared", "").status()).isIn(137, 255);
          runtime.delete("spared");
        });
    assertThat(ground.events.topics()).as("told of one that is given up").isEmpty();
  }

  /** Groups of that name in hierarchies that take a process without being set up first. */
  private void makeGroups(String name) throws IOException {
    Path top = Path.of("/sys/fs/cgroup");
    List<Path> hierarchies =
        Files.exists(top.resolve("cgroup.controllers"))
            ? List.of(top)
            : List.of(top.resolve("memory"), top.resolve("pids"));
    for (Path hierarchy : hierarchies) {
      groups.add(Files.createDirectory(hierarchy.resolve(name)));
    }
  }

  /** Once its last process has ended, which the kernel may learn a moment later. */
  private static void remove(Path group) {
    Soon.until(
        group + " is empty and removed",
        () -> {
          try {
            Files.deleteIfExists(group);
            return true;
          } catch (IOException e) {
            return false;
          }
        });
  }

  private CreateTask placed(String id, String cgroup) {
    CreateTask usual = sleeping(id);
    Options options = Options.newBuilder().setShimCgroup(cgroup).build();
    return new CreateTask(
        usual.container(),
        List.of(),
        Stdio.NONE,
        Optional.of(TypedValues.pack(options)),
        "",
        RUNTIME,
        "",
        0);
  }

  @Test
  void a_task_that_wants_its_shim_in_a_cgroup_has_a_host_there() throws Exception {
    String name = "jc-shim-" + ground.namespace;
    makeGroups(name);
    here(
        () -> {
          begin("usual");
          runtime.create(placed("placed", "/" + name));
          runtime.start("placed", "");
          List<ProcessHandle> hosts = hostProcesses();
          assertThat(hosts).hasSize(2);
          for (Path group : groups) {
            List<String> inside = Files.readAllLines(group.resolve("cgroup.procs"));
            assertThat(hosts)
                .as("%s: %s", group, inside)
                .filteredOn(host -> inside.contains(Long.toString(host.pid())))
                .hasSize(1);
          }
          end("placed");
          Soon.until("a host has left", () -> hostProcesses().size() <= 1);
          for (Path group : groups) {
            remove(group);
          }
          end("usual");
        });
  }

  @Test
  void a_host_that_was_told_to_leave_stays_for_a_task_that_is_on_its_way() throws Exception {
    leave();
    restart(ShimGroup.CONTAINER);
    here(
        () -> {
          begin("web");
          ProcessHandle first = hostProcesses().getFirst();
          Bundle bundle = ground.bundles.at(ground.namespace, "web");
          // as a second task of the host would between its launch and its creation
          Shim shim = hosts.launch(bundle, new ShimLauncher.Launch(RUNTIME, Optional.empty()));
          end("web");
          assertThatThrownBy(() -> first.onExit().get(500, TimeUnit.MILLISECONDS))
              .isInstanceOf(TimeoutException.class);
          assertThat(shim.whoServes(ground.namespace, "web", Duration.ofSeconds(30)).getShimPid())
              .isEqualTo((int) first.pid());
          hosts.settled(bundle);
          first.onExit().get(60, TimeUnit.SECONDS);
          begin("web");
          end("web");
        });
  }

  @Test
  void a_host_whose_cgroup_is_gone_is_replaced_outside_of_it() throws Exception {
    String name = "jc-gone-" + ground.namespace;
    makeGroups(name);
    here(
        () -> {
          runtime.create(placed("placed", "/" + name));
          int pid = runtime.start("placed", "");
          leave();
          killHost();
          for (Path group : groups) {
            // the host in the small has its containers in its own group
            Files.writeString(group.resolveSibling("cgroup.procs"), Integer.toString(pid));
            remove(group);
          }
          restart(ShimGroup.NODE);
          assertThat(runtime.get("placed", "").pid()).isEqualTo(pid);
          assertThat(runtime.get("placed", "").status()).isEqualTo(TaskStatus.RUNNING);
          runtime.kill("placed", "", 9, false);
          // whether the code of a process that was not its child is known, is the kernel's affair
          assertThat(runtime.waitFor("placed", "").status()).isIn(137, 255);
          runtime.delete("placed");
        });
  }

  @Test
  void a_cgroup_that_is_not_there_fails_the_task_and_leaves_no_host() throws Exception {
    here(
        () -> {
          assertThatThrownBy(() -> runtime.create(placed("lost", "/jc-no-such-group")))
              .isInstanceOf(UnavailableException.class)
              .hasMessageContaining("cgroup /jc-no-such-group");
          assertThat(ground.bundles.list()).isEmpty();
          Soon.until("no host is left", () -> hostProcesses().isEmpty());
        });
  }

  @Test
  void a_host_for_each_container_leaves_with_it() throws Exception {
    leave();
    restart(ShimGroup.CONTAINER);
    here(
        () -> {
          begin("one");
          begin("two");
          assertThat(hostProcesses()).hasSize(2);
          end("one");
          Soon.until("a host has left", () -> hostProcesses().size() <= 1);
          assertThat(runtime.get("two", "").status()).isEqualTo(TaskStatus.RUNNING);
          end("two");
          Soon.until("no host is left", () -> hostProcesses().isEmpty());
        });
  }

  @Test
  void a_dead_hosts_tasks_are_found_again_by_a_restarted_daemon() throws Exception {
    here(
        () -> {
          int pid = begin("late");
          leave();
          killHost();
          restart(ShimGroup.NODE);
          assertThat(hostProcesses()).hasSize(1);
          assertThat(runtime.get("late", "").pid()).isEqualTo(pid);
          runtime.kill("late", "", 9, false);
          assertThat(runtime.waitFor("late", "").status()).isIn(137, 255);
          runtime.delete("late");
        });
  }

  @Test
  void a_host_that_left_events_behind_is_started_to_tell_them() throws Exception {
    here(
        () -> {
          begin("told");
          end("told");
          leave();
          killHost();
          Path state = hostState();
          Files.write(
              Files.createDirectories(state.resolve("events")).resolve("journal"), bytes(9));
          restart(ShimGroup.NODE);
          Path told = state.resolve("serving");
          awaitNewer(told, Files.getLastModifiedTime(state.resolve("events/journal")));
          assertThat(hostProcesses()).hasSize(1);
          leave();
          restart(ShimGroup.NODE); // it is there already
          assertThat(hostProcesses()).hasSize(1);
        });
  }

  @Test
  void a_host_that_left_nothing_to_tell_is_not_started() throws Exception {
    here(
        () -> {
          begin("silent");
          end("silent");
          leave();
          killHost();
          Path events = Files.createDirectories(hostState().resolve("events"));
          Files.write(events.resolve("journal"), bytes(0));
          restart(ShimGroup.NODE);
          assertThat(hostProcesses()).isEmpty();
        });
  }

  private static byte[] bytes(int count) {
    return new byte[count];
  }

  private static void awaitNewer(Path file, FileTime than) throws Exception {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!Files.exists(file) || Files.getLastModifiedTime(file).compareTo(than) < 0) {
      assertThat(System.nanoTime()).as(file + " in time").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void a_task_that_is_given_up_is_not_kept_by_a_living_host() throws Exception {
    org.junit.jupiter.api.Assumptions.assumeFalse(real(), "a real host is not deaf");
    here(
        () -> {
          int pid = begin("deaf");
          leave();
          Files.createFile(hostState().resolve("deaf"));
          restart(ShimGroup.NODE, HASTY);
          Files.delete(hostState().resolve("deaf"));
          assertThatThrownBy(() -> runtime.get("deaf", "")).isInstanceOf(NotFoundException.class);
          assertThat(hostState().resolve("tasks")).isEmptyDirectory();
          assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
        });
  }

  @Test
  void exits_of_a_host_that_forgets_no_event_need_no_note() throws Exception {
    here(
        () -> {
          int pid = begin("unnoted");
          ground.exited("unnoted", pid);
          ground.events.awaitSeen();
          assertThat(ground.bundles.at(ground.namespace, "unnoted").path().resolve("exit-event"))
              .doesNotExist();
          end("unnoted");
        });
  }

  @Test
  void its_information_names_the_runtime_and_its_features() throws Exception {
    here(
        () -> {
          var info =
              io.jcontainerd.api.types.RuntimeInfo.parseFrom(
                  runtime.runtimeInfo(Optional.empty()).value());
          assertThat(info.getName()).isEqualTo(RUNTIME);
          assertThat(info.getFeatures().getValue().toStringUtf8()).contains("ociVersionMax");
        });
  }
}

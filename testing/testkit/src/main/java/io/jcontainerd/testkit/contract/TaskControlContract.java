package io.jcontainerd.testkit.contract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.testkit.tasks.TaskDriver.Box;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Freezing, limits, numbers and processes of a task that runs. */
public abstract class TaskControlContract extends TaskCases {
  private static final long MIB = 1024 * 1024;
  private static final Path GROUPS = Path.of("/sys/fs/cgroup");

  /** For subclasses. */
  protected TaskControlContract() {}

  @Test
  void a_paused_task_stands_still_until_it_is_resumed() throws Exception {
    Path beats = folder.resolve("beats");
    Box box = driver.box("sh", "-c", "while :; do echo beat; usleep 5000; done");
    int _ = box.create(new Stdio("", "file://" + beats, "file://" + beats, false));
    int _ = box.start();
    until("it beats", () -> size(beats) > 0);
    box.pause();
    assertThat(box.status()).isEqualTo(TaskStatus.PAUSED);
    long still = stillAt(beats);
    box.resume();
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
    until("it beats again", () -> size(beats) > still);
  }

  /** The size at which the file stays as long as many beats would take, once all has arrived. */
  private static long stillAt(Path file) throws InterruptedException {
    long[] seen = {-1};
    until(
        "it stands still",
        () -> {
          long before = seen[0];
          seen[0] = size(file);
          LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
          return before == seen[0];
        });
    return seen[0];
  }

  private static long size(Path file) {
    return file.toFile().length();
  }

  @Test
  void what_is_paused_is_not_paused_again() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.pause();
    assertThatThrownBy(box::pause).isInstanceOf(ContainerdException.class);
    assertThat(box.status()).isEqualTo(TaskStatus.PAUSED);
    box.resume();
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void what_runs_is_not_resumed() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(box::resume).isInstanceOf(ContainerdException.class);
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void what_did_not_start_or_has_ended_is_not_paused() throws Exception {
    Box created = driver.box("true");
    int _ = created.create(NONE);
    assertThatThrownBy(created::pause).isInstanceOf(ContainerdException.class);
    Box stopped = driver.running("true");
    Exit _ = stopped.await();
    assertThatThrownBy(stopped::pause).isInstanceOf(ContainerdException.class);
  }

  @Test
  void an_exec_is_paused_with_its_task() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.exec("e", NONE, "sleep", "1000");
    int _ = box.start("e");
    box.pause();
    assertThat(box.state("e").status()).isEqualTo(TaskStatus.PAUSED);
    box.resume();
    assertThat(box.state("e").status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void a_paused_task_is_not_deleted() throws Exception {
    Box box = driver.running("sleep", "1000");
    box.pause();
    assertThatThrownBy(box::delete).isInstanceOf(ContainerdException.class);
    box.resume();
  }

  @Test
  void all_processes_are_listed_those_of_execs_by_name() throws Exception {
    Box box = driver.running("sh", "-c", "sleep 1000 & wait");
    box.exec("some-exec", NONE, "sleep", "1000");
    int pid = box.start("some-exec");
    until("three processes", () -> pids(box).size() == 3);
    List<TaskRuntime.Pid> all = pids(box);
    assertThat(all)
        .extracting(TaskRuntime.Pid::pid)
        .contains(box.state().pid(), pid)
        .doesNotHaveDuplicates();
    for (TaskRuntime.Pid each : all) {
      Optional<TypedValue> info = each.info();
      if (each.pid() == pid) {
        assertThat(info.orElseThrow().typeName()).isEqualTo("containerd.runc.v1.ProcessDetails");
        assertThat(new String(info.orElseThrow().value(), UTF_8)).contains("some-exec");
      } else {
        assertThat(info).isEmpty();
      }
    }
  }

  private List<TaskRuntime.Pid> pids(Box box) {
    try {
      return driver.tasks(t -> t.pids(box.id()));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void update(Box box, JsonObject resources) throws InterruptedException {
    boolean _ =
        driver.tasks(
            t -> {
              t.update(
                  box.id(), new TypedValue(Spec.RESOURCES_TYPE_URL, resources.toBytes()), Map.of());
              return true;
            });
  }

  /** The kernel's file for the limit of a process's memory. */
  private static String memoryLimit(int pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts[1].equals("memory")) {
        return Files.readString(
                GROUPS.resolve("memory" + parts[2]).resolve("memory.limit_in_bytes"))
            .strip();
      }
    }
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/cgroup"))) {
      if (line.startsWith("0::")) {
        return Files.readString(Path.of(GROUPS + line.substring(3)).resolve("memory.max")).strip();
      }
    }
    throw new AssertionError("no cgroup of memory");
  }

  @Test
  void limits_of_the_specification_are_in_force() throws Exception {
    Box box =
        driver.box(
            spec ->
                spec.patchResources(
                    r -> r.with("memory", JsonObject.EMPTY.with("limit", 64 * MIB))),
            "sleep",
            "1000");
    int pid = box.create(NONE);
    int _ = box.start();
    assertThat(memoryLimit(pid)).isEqualTo(Long.toString(64 * MIB));
  }

  @Test
  void limits_can_be_changed_while_it_runs() throws Exception {
    Box box = driver.running("sleep", "1000");
    update(box, JsonObject.EMPTY.with("memory", JsonObject.EMPTY.with("limit", 96 * MIB)));
    assertThat(memoryLimit(box.state().pid())).isEqualTo(Long.toString(96 * MIB));
    assertThat(box.status()).isEqualTo(TaskStatus.RUNNING);
  }

  @Test
  void limits_of_what_has_ended_are_not_changed() throws Exception {
    Box box = driver.running("true");
    Exit _ = box.await();
    assertThatThrownBy(
            () -> update(box, JsonObject.EMPTY.with("memory", JsonObject.EMPTY.with("limit", MIB))))
        .isInstanceOf(ContainerdException.class);
  }

  @Test
  void resources_of_another_kind_are_refused() throws Exception {
    Box box = driver.running("sleep", "1000");
    assertThatThrownBy(
            () ->
                driver.tasks(
                    t -> {
                      t.update(box.id(), new TypedValue("some.Type", new byte[] {1}), Map.of());
                      return true;
                    }))
        .isInstanceOf(ContainerdException.class);
  }

  @Test
  void numbers_are_those_of_the_control_group() throws Exception {
    Box box = driver.running("sleep", "1000");
    TaskRuntime.Metrics metrics = driver.tasks(t -> t.metrics(box.id()));
    assertThat(metrics.containerId()).isEqualTo(box.id());
    assertThat(metrics.data().typeName()).matches("io\\.containerd\\.cgroups\\.v[12]\\.Metrics");
    assertThat(metrics.data().value()).isNotEmpty();
    assertThat(metrics.timestamp()).isAfter(java.time.Instant.now().minusSeconds(60));
  }

  @Test
  void there_are_no_numbers_of_an_unknown_task() {
    assertThatThrownBy(() -> driver.tasks(t -> t.metrics("unknown")))
        .isInstanceOf(NotFoundException.class);
  }

  @Test
  void running_out_of_memory_ends_it_and_is_told() throws Exception {
    Box box =
        driver.box(
            spec ->
                spec.patchResources(
                    r ->
                        r.with(
                            "memory",
                            JsonObject.EMPTY.with("limit", 16 * MIB).with("swap", 16 * MIB))),
            "tail",
            "/dev/zero");
    spawnZero(box);
    assertThat(box.await().status()).isEqualTo(137);
    assertThat(kinds(told(box, kind("oom")))).contains("oom");
  }

  private static void spawnZero(Box box) throws InterruptedException {
    int _ = box.create(NONE);
    int _ = box.start();
  }
}

package io.jcontainerd.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jcontainerd.api.events.TaskExit;
import io.jcontainerd.core.Call;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.events.Event;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.tasks.CreateTask;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.core.tasks.Stdio;
import io.jcontainerd.core.tasks.TaskStatus;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.testkit.time.Soon;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;

/** Tasks kept by the distribution's containerd-shim-runc-v2 and runc, the whole way down. */
@Tag("root")
@Timeout(180)
@EnabledIf("io.jcontainerd.runtime.Ground#usable")
class StockShimTest {
  private Ground ground;
  private LocalTaskRuntime runtime;

  private interface Body {
    void run() throws Exception;
  }

  @BeforeEach
  void start() throws Exception {
    ground = new Ground();
    runtime = ground.runtime();
  }

  @AfterEach
  void stop() throws Exception {
    List<String> left = ground.remainsAtLast();
    runtime.close();
    ground.close();
    assertThat(left).isEmpty();
  }

  private void here(Body body) throws Exception {
    Call.in(ground.namespace)
        .call(
            () -> {
              body.run();
              return null;
            });
  }

  private void end(String id) throws InterruptedException {
    runtime.kill(id, "", 9, true);
    assertThat(runtime.waitFor(id, "").status()).isEqualTo(137);
    runtime.delete(id);
  }

  private Path socketOf(String id) throws Exception {
    Path bundle = ground.bundles.at(ground.namespace, id).path();
    return io.jcontainerd.runtime.shim.ShimAddress.json(
            Files.readString(bundle.resolve("bootstrap.json")))
        .socket();
  }

  private int shimOf(int pid) throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith("PPid:")) {
        return Integer.parseInt(line.substring(5).strip());
      }
    }
    throw new AssertionError("no parent of " + pid);
  }

  @Test
  void a_task_lives_from_create_to_delete() throws Exception {
    here(
        () -> {
          int pid = runtime.create(ground.sleeping("life"));
          assertThat(ProcessHandle.of(pid)).isPresent();
          assertThat(runtime.get("life", "").status()).isEqualTo(TaskStatus.CREATED);
          assertThat(runtime.start("life", "")).isEqualTo(pid);
          assertThat(runtime.get("life", "").status()).isEqualTo(TaskStatus.RUNNING);
          assertThat(runtime.list()).hasSize(1);
          assertThat(runtime.pids("life")).anyMatch(p -> p.pid() == pid);
          assertThat(runtime.metrics("life").data().typeName()).contains("cgroups");

          runtime.pause("life");
          assertThat(runtime.get("life", "").status()).isEqualTo(TaskStatus.PAUSED);
          runtime.resume("life");
          assertThat(runtime.get("life", "").status()).isEqualTo(TaskStatus.RUNNING);
          runtime.update(
              "life",
              new TypedValue(Spec.RESOURCES_TYPE_URL, "{\"pids\":{\"limit\":77}}".getBytes(UTF_8)),
              Map.of());
          runtime.resizePty("life", "", 80, 24);
          runtime.closeStdin("life", "");

          assertThatThrownBy(() -> runtime.delete("life"))
              .isInstanceOf(UnknownException.class)
              .hasMessageContaining("running");
          assertThatThrownBy(() -> runtime.create(ground.sleeping("life")))
              .isInstanceOf(AlreadyExistsException.class)
              .hasMessage("task life");

          runtime.kill("life", "", 15, false);
          runtime.kill("life", "", 9, false);
          Exit waited = runtime.waitFor("life", "");
          assertThat(waited.status()).isEqualTo(137);
          assertThat(waited.pid()).isEqualTo(pid);
          assertThatThrownBy(() -> runtime.kill("life", "", 9, false))
              .isInstanceOf(NotFoundException.class);
          assertThat(runtime.get("life", "").exitedAt()).isPresent();
          Path socket = socketOf("life");
          Exit exit = runtime.delete("life");
          // the shim goes on its own time, and takes its socket along
          Soon.until("its socket is gone", () -> !Files.exists(socket));
          assertThat(exit.status()).isEqualTo(137);
          assertThat(exit.pid()).isEqualTo(pid);
          assertThatThrownBy(() -> runtime.get("life", ""))
              .isInstanceOf(NotFoundException.class)
              .hasMessage("task life not found");
        });
    ground.events.await("/tasks/delete");
    assertThat(ground.events.topics())
        .containsExactly(
            "/tasks/create",
            "/tasks/start",
            "/tasks/paused",
            "/tasks/resumed",
            "/tasks/exit",
            "/tasks/delete");
  }

  @Test
  void output_goes_to_the_file_and_the_exit_code_comes_back() throws Exception {
    Path out = ground.top.resolve("out");
    Files.createFile(out);
    here(
        () -> {
          var spec = ground.spec("out", "/bin/sh", "-c", "echo hello; exit 7");
          runtime.create(
              ground.request("out", spec, new Stdio("", "file://" + out, "file://" + out, false)));
          runtime.start("out", "");
          assertThat(runtime.waitFor("out", "").status()).isEqualTo(7);
          assertThat(runtime.delete("out").status()).isEqualTo(7);
        });
    assertThat(out).hasContent("hello\n");
  }

  @Test
  void further_processes_have_a_life_of_their_own() throws Exception {
    here(
        () -> {
          runtime.create(ground.sleeping("ex"));
          runtime.start("ex", "");
          var process =
              new TypedValue(
                  Spec.PROCESS_TYPE_URL,
                  "{\"args\":[\"/bin/sh\",\"-c\",\"exit 3\"],\"cwd\":\"/\",\"env\":[\"PATH=/bin\"],\"user\":{\"uid\":0,\"gid\":0}}"
                      .getBytes(UTF_8));
          runtime.exec("ex", "one", Stdio.NONE, process);
          assertThatThrownBy(() -> runtime.exec("ex", "one", Stdio.NONE, process))
              .isInstanceOf(AlreadyExistsException.class);
          int pid = runtime.start("ex", "one");
          assertThat(pid).isPositive();
          assertThat(runtime.waitFor("ex", "one").status()).isEqualTo(3);
          Exit exit = runtime.deleteProcess("ex", "one");
          assertThat(exit.status()).isEqualTo(3);
          assertThat(exit.pid()).isEqualTo(pid);
          assertThatThrownBy(() -> runtime.get("ex", "one")).isInstanceOf(NotFoundException.class);
          end("ex");
        });
  }

  @Test
  void what_the_oci_runtime_refuses_is_told_in_its_words_and_leaves_nothing() throws Exception {
    here(
        () -> {
          var spec = ground.spec("none", "/no/such/program");
          assertThatThrownBy(() -> runtime.create(ground.request("none", spec, Stdio.NONE)))
              .isInstanceOf(UnknownException.class)
              .hasMessageContaining("OCI runtime create failed")
              .hasMessageContaining("/no/such/program");
          assertThat(ground.remainsAtLast()).isEmpty();
          // the name is free again
          runtime.create(ground.sleeping("none"));
          runtime.delete("none");
        });
  }

  @Test
  void a_runtime_that_is_not_installed_is_named() throws Exception {
    here(
        () -> {
          var request = ground.sleeping("nort");
          var other =
              new io.jcontainerd.core.tasks.CreateTask(
                  request.container(),
                  List.of(),
                  Stdio.NONE,
                  Optional.empty(),
                  "",
                  "io.containerd.nothing.v9",
                  "",
                  0);
          assertThatThrownBy(() -> runtime.create(other))
              .hasMessage(
                  "runtime \"io.containerd.nothing.v9\" binary not installed"
                      + " \"containerd-shim-nothing-v9\": file does not exist: install it in a"
                      + " folder of the daemon's PATH, or name another runtime");
        });
  }

  @Test
  void a_restarted_daemon_finds_its_tasks_and_tells_the_exits_it_missed_once() throws Exception {
    here(
        () -> {
          runtime.create(ground.sleeping("stays"));
          int pid = runtime.start("stays", "");
          runtime.create(ground.sleeping("ends"));
          int ended = runtime.start("ends", "");
          ground.deaf();
          runtime.close();
          ProcessHandle.of(ended).orElseThrow().destroyForcibly();
          ground.hearing();
          runtime = ground.runtime();
          assertThat(runtime.get("stays", "").pid()).isEqualTo(pid);
          assertThat(runtime.get("stays", "").status()).isEqualTo(TaskStatus.RUNNING);
          assertThat(runtime.waitFor("ends", "").status()).isEqualTo(137);
          ground.events.await("/tasks/exit");
          assertThat(runtime.get("ends", "").status()).isEqualTo(TaskStatus.STOPPED);
          runtime.delete("ends");
          end("stays");
        });
    assertThat(exits("ends")).hasSize(1);
  }

  private List<TaskExit> exits(String id) throws Exception {
    List<TaskExit> found = new java.util.ArrayList<>();
    for (Event event : ground.events.all()) {
      if (event.topic().equals("/tasks/exit")) {
        TaskExit exit = TaskExit.parseFrom(event.payload().value());
        if (exit.getContainerId().equals(id)) {
          found.add(exit);
        }
      }
    }
    return found;
  }

  @Test
  void a_shim_that_dies_takes_its_task_along_and_this_is_told_once() throws Exception {
    here(
        () -> {
          runtime.create(ground.sleeping("orphan"));
          int pid = runtime.start("orphan", "");
          Path socket = socketOf("orphan");
          assertThat(socket).exists();
          var waiting = new FutureTask<>(Call.carrying(() -> runtime.waitFor("orphan", "")));
          Thread waiter = Thread.ofVirtual().start(waiting);
          Soon.until("somebody waits", () -> waiter.getState() == Thread.State.WAITING);
          ProcessHandle.of(shimOf(pid)).orElseThrow().destroyForcibly();
          assertThat(waiting.get().status()).isEqualTo(137);
          ground.events.await("/tasks/delete");
          // its new parent may take a moment to bury it
          ProcessHandle.of(pid).ifPresent(p -> p.onExit().join());
          assertThat(socket).doesNotExist();
          assertThatThrownBy(() -> runtime.get("orphan", "")).isInstanceOf(NotFoundException.class);
        });
    assertThat(exits("orphan"))
        .singleElement()
        .satisfies(e -> assertThat(e.getExitStatus()).isEqualTo(137));
    assertThat(ground.events.topics()).filteredOn("/tasks/delete"::equals).hasSize(1);
  }

  @Test
  void what_a_shim_left_that_died_with_the_daemon_is_removed_in_silence() throws Exception {
    here(
        () -> {
          runtime.create(ground.sleeping("both"));
          int pid = runtime.start("both", "");
          ground.events.await("/tasks/start");
          int shim = shimOf(pid);
          runtime.close();
          ProcessHandle handle = ProcessHandle.of(shim).orElseThrow();
          handle.destroyForcibly();
          handle.onExit().join();
          runtime = ground.runtime();
          assertThat(runtime.list()).isEmpty();
          assertThat(ground.remainsAtLast()).isEmpty();
        });
    assertThat(ground.events.topics()).containsExactly("/tasks/create", "/tasks/start");
  }

  @Test
  void a_creation_that_runs_out_of_time_is_there_for_who_asks_again() throws Exception {
    here(
        () ->
            assertThatThrownBy(
                    () ->
                        new Call(
                                Optional.of(ground.namespace),
                                Optional.empty(),
                                Optional.of(Instant.now().plusMillis(1)))
                            .call(() -> runtime.create(ground.sleeping("late"))))
                .isInstanceOf(DeadlineExceededException.class));
    here(
        () -> {
          runtime.create(ground.sleeping("late"));
          runtime.delete("late");
        });
  }

  /** One whose creation makes the first file and waits for the second. */
  private CreateTask held(String id, Path begun, Path gate) {
    String hook =
        """
        {"hooks":{"createRuntime":[{"path":"/bin/sh","args":["sh","-c",
          "touch %s; while ! test -e %s; do sleep 0.05; done"],"env":["PATH=/usr/bin:/bin"]}]},
        """
            .formatted(begun, gate);
    String plain = new String(ground.spec(id, "/bin/sleep", "600").toBytes(), UTF_8);
    Spec spec = Spec.parse((hook + plain.substring(plain.indexOf('{') + 1)).getBytes(UTF_8));
    return ground.request(id, spec, Stdio.NONE);
  }

  @Test
  void an_interrupted_creation_is_there_for_who_asks_again() throws Exception {
    Path begun = ground.top.resolve("begun");
    Path gate = ground.top.resolve("gate");
    CreateTask held = held("cut", begun, gate);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> creating =
          threads.submit(() -> Call.in(ground.namespace).call(() -> runtime.create(held)));
      Soon.until("the container is being made", () -> Files.exists(begun));
      assertThat(creating.cancel(true)).isTrue();
    } finally {
      Files.createFile(gate);
    }
    here(
        () -> {
          // joins what goes on
          runtime.create(held);
          runtime.delete("cut");
        });
  }

  @Test
  void many_tasks_at_once_all_live_and_all_go() throws Exception {
    here(
        () -> {
          try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> started = new java.util.ArrayList<>();
            for (int i = 0; i < 6; i++) {
              String id = "many-" + i;
              started.add(
                  threads.submit(
                      Call.carrying(
                          () -> {
                            runtime.create(ground.sleeping(id));
                            return runtime.start(id, "");
                          })));
            }
            for (Future<Integer> pid : started) {
              assertThat(pid.get()).isPositive();
            }
            assertThat(runtime.list()).hasSize(6);
            List<Future<?>> ended = new java.util.ArrayList<>();
            for (int i = 0; i < 6; i++) {
              String id = "many-" + i;
              ended.add(
                  threads.submit(
                      Call.carrying(
                          () -> {
                            end(id);
                            return id;
                          })));
            }
            for (Future<?> one : ended) {
              one.get();
            }
          }
        });
  }
}

package io.jcontainerd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** Containers outlive the daemon, and what happened meanwhile is not lost. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RestartTest {
  private static final String BEAT = "while :; do echo beat; sleep 0.1; done";

  private Scene scene;
  private Ctr ctr;
  private String image;

  @BeforeAll
  void open() {
    scene = Scene.open("restart");
    ctr = scene.ctr;
    image = scene.pulled();
  }

  @AfterAll
  void close() {
    scene.close();
  }

  private Path log(int number) {
    return scene.folder.resolve("log-" + number);
  }

  private static List<String> ids(int count) {
    return IntStream.range(0, count).mapToObj(i -> "k-" + i).toList();
  }

  @TestFactory
  Stream<DynamicTest> kill_of_the_daemon() {
    return ten("daemon killed", new String[0], this::killDaemon);
  }

  @TestFactory
  Stream<DynamicTest> kill_of_the_daemon_with_a_third_party_shim() {
    return ten(
        "daemon killed, shims of another make",
        new String[] {"--runtime", "/usr/bin/containerd-shim-runc-v2"},
        this::killDaemon);
  }

  private void killDaemon() {
    scene.daemon.kill();
  }

  private Stream<DynamicTest> ten(String name, String[] flags, Runnable blow) {
    String[] pids = new String[10];
    Background[] wait = new Background[1];
    long[] before = new long[1];
    return new Cases(name)
            .add(
                "ten containers, one with an exec that is waited for",
                () -> {
                  before[0] = lastEvent();
                  for (int i = 0; i < 10; i++) {
                    List<String> line = new java.util.ArrayList<>(List.of("run", "-d"));
                    line.addAll(List.of(flags));
                    line.addAll(
                        List.of(
                            "--log-uri", "file://" + log(i), image, "k-" + i, "sh", "-c", BEAT));
                    ctr.run(line).ok();
                    pids[i] = "" + Tasks.pid(ctr, "k-" + i);
                  }
                  wait[0] =
                      Background.start(
                          ctr.line(
                              "tasks", "exec", "--exec-id", "waiting", "k-0", "sleep", "1000"));
                  Await.until(
                      "the exec runs",
                      () -> ctr.ok("tasks", "ps", "k-0").out().contains("waiting"));
                })
            .add(
                "the blow: containers run on, and so does their output",
                () -> {
                  blow.run();
                  for (int i = 0; i < 10; i++) {
                    assertThat(Path.of("/proc/" + pids[i])).exists();
                    Path log = log(i);
                    long size = Files.size(log);
                    Await.until("output of k-" + i + " goes on", () -> size(log) > size);
                  }
                  Background waiting = Objects.requireNonNull(wait[0]);
                  waiting.close();
                })
            .add(
                "one ends meanwhile",
                () -> {
                  Command.run("kill", "-9", pids[9]).ok();
                  Await.until(
                      "k-9 is gone", () -> !Files.exists(Path.of("/proc/" + pids[9] + "/exe")));
                })
            .add(
                "a restarted daemon lists them all with the right status",
                () -> {
                  scene.daemon.start();
                  for (int i = 0; i < 9; i++) {
                    assertThat(Tasks.status(ctr, "k-" + i)).isEqualTo("RUNNING");
                    assertThat("" + Tasks.pid(ctr, "k-" + i)).isEqualTo(pids[i]);
                  }
                  Tasks.awaitStatus(ctr, "k-9", "STOPPED");
                })
            .add(
                "the exec that was waited for runs on, ends as it is told to, and is deleted",
                () -> {
                  assertThat(ctr.ok("tasks", "ps", "k-0").out()).contains("waiting");
                  ctr.ok("tasks", "kill", "--exec-id", "waiting", "--signal", "SIGKILL", "k-0");
                  Await.until(
                      "its exit is an event", () -> exitEvents("k-0", "waiting", before[0]) > 0);
                  assertThat(ctr.run("tasks", "rm", "--exec-id", "waiting", "k-0").status())
                      .isEqualTo(137);
                  assertThat(ctr.ok("tasks", "ps", "k-0").out()).doesNotContain("waiting");
                })
            .add(
                "the exit of what ended meanwhile is an event",
                () -> Await.until("/tasks/exit of k-9", () -> exitEvents("k-9", before[0]) > 0))
            .add(
                "it can exec",
                () ->
                    assertThat(
                            ctr.ok("tasks", "exec", "--exec-id", "again", "k-3", "echo", "hi")
                                .text())
                        .isEqualTo("hi"))
            .add(
                "the exit code of what ended meanwhile is known",
                () -> {
                  assertThat(ctr.run("tasks", "rm", "k-9").err()).contains("exit code 137");
                  ctr.ok("containers", "rm", "k-9");
                })
            .add(
                "it can kill and delete",
                () -> {
                  for (int i = 0; i < 9; i++) {
                    Tasks.remove(ctr, "k-" + i);
                  }
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).isEmpty();
                  for (int i = 0; i < 10; i++) {
                    Files.deleteIfExists(log(i));
                  }
                })
            .add(
                "each exit was an event once",
                () -> {
                  for (int i = 0; i < 10; i++) {
                    String id = "k-" + i;
                    Await.until("the exit of " + id, () -> exitEvents(id, before[0]) > 0);
                    assertThat(exitEvents(id, before[0])).as("exits of " + id).isOne();
                  }
                  assertThat(exitEvents("k-0", "waiting", before[0])).as("the exec's").isOne();
                })
            .stream();
  }

  private long exitEvents(String id, long after) {
    return exitEvents(id, id, after);
  }

  /**
   * Counts the events of a process's exit in the store, where every event is a row; a container's
   * own process has its id.
   */
  private long exitEvents(String id, String process, long after) {
    if (Daemon.reference() != null) {
      return 1; // it keeps none
    }
    return query(
        "select count(*) from events where topic = '/tasks/exit' and number > "
            + after
            // container id and process id are the first fields
            + " and instr(payload, cast(char(10, %d) || '%s' || char(18, %d) || '%s' as blob)) = 1"
                .formatted(id.length(), id, process.length(), process));
  }

  private long lastEvent() {
    return Daemon.reference() != null ? 0 : query("select coalesce(max(number), 0) from events");
  }

  private long query(String sql) {
    String store =
        scene.daemon.root().resolve("io.jcontainerd.store.v1.sqlite/store.db").toString();
    String script =
        "import sqlite3, sys\n"
            + "store = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)\n"
            + "print(store.execute(sys.argv[2]).fetchone()[0])";
    return Long.parseLong(Command.run("python3", "-c", script, store, sql).ok().text());
  }

  private List<ProcessHandle> hosts() {
    return Traces.processes(scene.folder).stream()
        .filter(p -> Traces.commandLine(p).contains("ShimHost"))
        .toList();
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @TestFactory
  Stream<DynamicTest> kill_of_the_shim_host() {
    String[] pids = new String[3];
    if (Daemon.reference() != null) {
      return Stream.of();
    }
    return new Cases("shim host killed")
            .add(
                "three containers",
                () -> {
                  for (int i = 0; i < 3; i++) {
                    ctr.ok(
                        "run",
                        "-d",
                        "--log-uri",
                        "file://" + log(i),
                        image,
                        "k-" + i,
                        "sh",
                        "-c",
                        BEAT);
                    pids[i] = "" + Tasks.pid(ctr, "k-" + i);
                  }
                })
            .add(
                "the blow: containers run on, and so does their output",
                () -> {
                  // one that served before may be about to leave
                  Await.until("one shim host", () -> hosts().size() == 1);
                  hosts().getFirst().destroyForcibly();
                  for (int i = 0; i < 3; i++) {
                    Path log = log(i);
                    long size = Files.size(log);
                    Await.until("output of k-" + i + " goes on", () -> size(log) > size);
                  }
                })
            .add(
                "a new one adopts them",
                () -> {
                  for (String id : ids(3)) {
                    Tasks.awaitStatus(ctr, id, "RUNNING");
                  }
                  assertThat(ctr.ok("tasks", "exec", "--exec-id", "n", "k-1", "echo", "hi").text())
                      .isEqualTo("hi");
                })
            .add(
                "they can be stopped and deleted",
                () -> {
                  for (String id : ids(3)) {
                    Tasks.remove(ctr, id);
                  }
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).isEmpty();
                })
            .stream();
  }
}

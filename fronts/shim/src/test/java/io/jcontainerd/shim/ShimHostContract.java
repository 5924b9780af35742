package io.jcontainerd.shim;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.cgroups.v1.Metrics;
import io.jcontainerd.api.operations.v1.Operation;
import io.jcontainerd.api.runtime.task.v3.CreateTaskRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.types.Envelope;
import io.jcontainerd.api.types.Mount;
import io.jcontainerd.api.types.runc.options.ProcessDetails;
import io.jcontainerd.api.types.task.Status;
import io.jcontainerd.linux.descriptor.Fifos;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.descriptor.OwnedDescriptor.Access;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.ttrpc.CallOptions;
import io.jcontainerd.ttrpc.StatusCode;
import io.jcontainerd.ttrpc.TtrpcClient;
import io.jcontainerd.ttrpc.TtrpcException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** What the shim host owes a daemon, with real containers, whatever OCI runtime makes them. */
@Tag("root")
@Timeout(300)
abstract class ShimHostContract {
  private static final Stdio NONE = new Stdio("", "", "", false);
  private static final int TERM = 15;
  private static final int KILL = 9;

  @TempDir(cleanup = CleanupMode.ALWAYS)
  Path folder;

  private EventSink events;
  private HostProcess host;
  private TaskClient tasks;
  private Bundles bundles;
  private Map<String, Long> before;

  /** The runtime under the host. */
  abstract String binary();

  @BeforeEach
  void open() throws Exception {
    events = new EventSink(folder.resolve("events.sock"));
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    bundles = new Bundles(folder, binary());
    // the first container loads classes and opens what stays open
    bundles.make("warm", UnaryOperator.identity(), "true");
    tasks.create(bundles.request("warm", NONE).build());
    tasks.start("warm", "");
    tasks.await("warm", "");
    tasks.delete("warm", "");
    events.awaitTopic("warm", "delete");
    before = settled();
  }

  @AfterEach
  void nothing_is_left_behind() throws Exception {
    try {
      until(
          () -> {
            try {
              return isNoMoreThan(before, host.belongings());
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          },
          () -> "leaked: " + before + " became " + safeBelongings());
      assertThat(groups()).isEmpty();
      try (Stream<Path> records = Files.walk(HostProcess.state(folder).resolve("containers"))) {
        assertThat(records.filter(Files::isRegularFile)).isEmpty();
      }
      assertThat(HostProcess.temporary(folder)).isEmptyDirectory();
    } finally {
      tasks.close();
      host.close();
      events.close();
      for (Path group : groups()) { // a failed test must not fail the next one
        Path frozen = group.resolve("freezer.state");
        if (Files.exists(frozen)) {
          Files.writeString(frozen, "THAWED");
        }
        for (String pid : Files.readAllLines(group.resolve("cgroup.procs"))) {
          ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
        }
        until(
            () -> group.toFile().delete() || !Files.exists(group),
            () -> group + " is still in use");
      }
    }
  }

  /** It may be less: a connection that had just been closed may have been counted before. */
  private static boolean isNoMoreThan(Map<String, Long> before, Map<String, Long> now) {
    return now.entrySet().stream()
        .allMatch(kind -> kind.getValue() <= before.getOrDefault(kind.getKey(), 0L));
  }

  private static boolean hasEnded(int pid) {
    try {
      Optional<ProcessIdentity> process = ProcessIdentity.of(pid);
      return process.isEmpty() || !process.get().isRunning(); // not collected yet, perhaps
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The control groups of this test's containers. */
  private List<Path> groups() throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> controllers = Files.list(Path.of("/sys/fs/cgroup"))) {
      for (Path controller : controllers.map(c -> c.resolve("shimtest")).toList()) {
        if (Files.isDirectory(controller)) {
          try (Stream<Path> groups = Files.list(controller)) {
            groups
                .filter(Files::isDirectory)
                .filter(group -> group.getFileName().toString().startsWith(prefix()))
                .forEach(found::add);
          }
        }
      }
    }
    return found;
  }

  private String safeBelongings() {
    try {
      return host.belongings() + " with open " + host.open();
    } catch (IOException e) {
      return e.toString();
    }
  }

  private Map<String, Long> settled() throws Exception {
    Map<String, Long> last = host.belongings();
    for (int same = 0; same < 5; same++) {
      host.awaitEnd(Duration.ofMillis(20));
      Map<String, Long> now = host.belongings();
      if (!now.equals(last)) {
        same = 0;
      }
      last = now;
    }
    return last;
  }

  private static void until(BooleanSupplier condition, java.util.function.Supplier<String> text)
      throws InterruptedException {
    long deadline = System.nanoTime() + 60_000_000_000L;
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError(text.get());
      }
      java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
    }
  }

  private String prefix() {
    return binary() + "-";
  }

  private String id(String name) {
    return prefix() + name;
  }

  private Path fifo(String name) throws IOException {
    Path path = folder.resolve(name);
    Fifos.create(path, 0600);
    return path;
  }

  /** Reads to the end; the reading end is open before this returns its reader. */
  private static Callable<String> reader(Path fifo) throws IOException {
    OwnedDescriptor reading = OwnedDescriptor.open(fifo, Access.READ_NONBLOCKING);
    return () -> {
      StringBuilder text = new StringBuilder();
      ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
      boolean any = false;
      long deadline = System.nanoTime() + 60_000_000_000L;
      try (reading) {
        while (true) {
          int count = reading.read(buffer);
          if (count > 0) {
            any = true;
            text.append(UTF_8.decode(buffer.flip()));
            buffer.clear();
          } else if (count < 0 && any) {
            return text.toString();
          } else if (System.nanoTime() - deadline > 0) {
            throw new AssertionError("no end, read so far: " + text);
          } else {
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
          }
        }
      }
    };
  }

  private static <T> Future<T> inBackground(Callable<T> task) {
    var executor = Executors.newVirtualThreadPerTaskExecutor();
    Future<T> future = executor.submit(task);
    executor.shutdown();
    return future;
  }

  private void run(String id, Stdio stdio, String... command) throws Exception {
    bundles.make(id, UnaryOperator.identity(), command);
    tasks.create(bundles.request(id, stdio).build());
    tasks.start(id, "");
  }

  private void killAndDelete(String id) throws Exception {
    tasks.kill(id, "", KILL, false);
    assertThat(tasks.await(id, "")).isEqualTo(137);
    tasks.delete(id, "");
  }

  private static void assertCode(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, StatusCode code, String text) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            TtrpcException.class,
            e -> {
              assertThat(e.code()).as(e.text()).isEqualTo(code);
              assertThat(e.text()).contains(text);
            });
  }

  @Test
  void a_container_is_created_started_waited_for_and_deleted_with_its_events_in_order()
      throws Exception {
    String id = id("life");
    Path out = fifo("out");
    Callable<String> reader = reader(out);
    bundles.make(id, UnaryOperator.identity(), "sh", "-c", "echo hello; exit 7");
    int pid = tasks.create(bundles.request(id, new Stdio("", out.toString(), "", false)).build());
    assertThat(pid).isPositive();
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.CREATED);
    assertThat(tasks.state(id, "").getPid()).isEqualTo(pid);
    Future<Integer> exit = inBackground(() -> tasks.await(id, ""));
    assertThat(tasks.start(id, "")).isEqualTo(pid);
    assertThat(exit.get()).isEqualTo(7);
    assertThat(reader.call()).isEqualTo("hello\n");
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.STOPPED);
    assertThat(tasks.state(id, "").getExitStatus()).isEqualTo(7);
    assertCode(() -> tasks.kill(id, "", TERM, false), StatusCode.NOT_FOUND, "finished");
    assertCode(() -> tasks.start(id, ""), StatusCode.UNKNOWN, "cannot start a stopped process");
    DeleteResponse deleted = tasks.delete(id, "");
    assertThat(deleted.getExitStatus()).isEqualTo(7);
    assertThat(deleted.getPid()).isEqualTo(pid);
    assertThat(deleted.hasExitedAt()).isTrue();
    assertThat(events.awaitTopic(id, "delete"))
        .containsExactly("create", "start", "exit", "delete");
    assertCode(() -> tasks.state(id, ""), StatusCode.NOT_FOUND, "container not created: not found");
    assertThat(tasks.connect(id).getTaskPid()).isZero();
  }

  @Test
  void the_second_version_of_the_service_answers_the_same() throws Exception {
    String id = id("two");
    try (TaskClient old = new TaskClient(host.connect(), "containerd.task.v2.Task")) {
      bundles.make(id, UnaryOperator.identity(), "sh", "-c", "exit 3");
      int pid = old.create(bundles.request(id, NONE).build());
      assertThat(old.connect(id).getTaskPid()).isEqualTo(pid);
      assertThat(old.connect(id).getShimPid()).isEqualTo((int) host.pid());
      old.start(id, "");
      assertThat(old.await(id, "")).isEqualTo(3);
      old.delete(id, "");
    }
  }

  @Test
  void a_spec_is_made_fit_for_runtime_and_host_and_keeps_what_is_unknown() throws Exception {
    String id = id("spec");
    run(id, NONE, "sleep", "1000");
    Spec spec = Spec.parse(Files.readAllBytes(bundles.bundle(id).resolve("config.json")));
    assertThat(spec.ociVersion()).startsWith("1.0");
    assertThat(spec.json().at("x-unknown", "kept")).isPresent();
    if (!HostLimits.read().unlimited()) {
      assertThat(spec.oomScoreAdj().orElseThrow()).isZero();
    }
    killAndDelete(id);
  }

  @Test
  void what_the_runtime_would_leave_out_of_a_spec_is_told_or_refused() throws Exception {
    assumeThat(isOld()).isTrue();
    String id = id("needs");
    bundles.make(id, spec -> with(spec, "process", "execCPUAffinity", "initial"), "true");
    tasks.create(bundles.request(id, NONE).build());
    assertThat(bundles.bundle(id).resolve("log.json"))
        .content()
        .contains("process.execCPUAffinity (runtime specification 1.2.1)", "warning", binary());
    tasks.delete(id, "");

    String refused = id("refused");
    bundles.make(refused, spec -> with(spec, "linux", "netDevices", "eth9"), "true");
    assertCode(
        () -> tasks.create(bundles.request(refused, NONE).build()),
        StatusCode.FAILED_PRECONDITION,
        "linux.netDevices (runtime specification 1.3.0) would be left out by " + binary());
    assertCode(() -> tasks.state(refused, ""), StatusCode.NOT_FOUND, "");
  }

  private static Spec with(Spec spec, String object, String field, String name) {
    JsonObject value =
        JsonObject.EMPTY.with(name, object.equals("linux") ? JsonObject.EMPTY : Json.of("0"));
    return new Spec(spec.json().withAt(List.of(object, field), value));
  }

  /** Whether the runtime is one of before those fields. */
  private boolean isOld() throws Exception {
    Process asked = new ProcessBuilder(binary(), "--version").start();
    String text = new String(asked.getInputStream().readAllBytes(), UTF_8);
    return text.contains("spec: 1.0.");
  }

  @Test
  void a_created_container_can_be_deleted_without_having_run() throws Exception {
    String id = id("unstarted");
    bundles.make(id, UnaryOperator.identity(), "true");
    tasks.create(bundles.request(id, NONE).build());
    assertThat(tasks.delete(id, "").getExitStatus()).isEqualTo(137);
    assertThat(events.awaitTopic(id, "delete")).containsExactly("create", "exit", "delete");
  }

  @Test
  void output_without_a_reader_does_not_kill_and_is_there_for_a_late_reader() throws Exception {
    String id = id("late");
    Path out = fifo("out");
    run(
        id,
        new Stdio("", out.toString(), out.toString(), false),
        "sh",
        "-c",
        "echo one; echo two >&2; exit 4");
    assertThat(tasks.await(id, "")).isEqualTo(4);
    assertThat(reader(out).call()).isEqualTo("one\ntwo\n");
    tasks.delete(id, "");
  }

  @Test
  void a_process_without_streams_may_write_and_lives_on() throws Exception {
    String id = id("null");
    String[] talking = {"sh", "-c", "echo out; echo err >&2; exit 3"};
    run(id, NONE, talking);
    assertThat(tasks.await(id, "")).isEqualTo(3);
    tasks.delete(id, "");
    String half = id("half");
    Path out = fifo("out");
    Callable<String> reader = reader(out);
    run(half, new Stdio("", out.toString(), "", false), talking);
    assertThat(tasks.await(half, "")).isEqualTo(3);
    assertThat(reader.call()).isEqualTo("out\n");
    tasks.delete(half, "");
    String sleeper = id("nullexec");
    run(sleeper, NONE, "sleep", "1000");
    String[] later = {"sh", "-c", "sleep 0.2; echo out; echo err >&2; exit 4"};
    tasks.exec(sleeper, "e1", Bundles.process(later).toText(), NONE);
    tasks.start(sleeper, "e1");
    assertThat(tasks.await(sleeper, "e1")).isEqualTo(4);
    tasks.delete(sleeper, "e1");
    killAndDelete(sleeper);
  }

  @Test
  void output_to_a_file_uri_is_appended_to_one_file() throws Exception {
    String id = id("file");
    Path log = folder.resolve("logs/deep/out.log");
    String uri = "file://" + log;
    run(id, new Stdio("", uri, uri, false), "sh", "-c", "echo one; echo two >&2");
    tasks.await(id, "");
    assertThat(Files.readString(log)).isEqualTo("one\ntwo\n");
    tasks.delete(id, "");
  }

  @Test
  void a_logger_program_gets_both_streams_and_is_gone_after_delete() throws Exception {
    String id = id("logger");
    Path log = folder.resolve("logged");
    Path program = folder.resolve("logger.sh");
    Files.writeString(
        program,
        "#!/bin/sh\nexec 5>&-\necho $CONTAINER_ID $CONTAINER_NAMESPACE $1 $2 > "
            + log
            + "\ncat <&3 >> "
            + log
            + "\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    String uri = "binary://" + program + "?key=a%20b";
    run(id, new Stdio("", uri, uri, false), "echo", "logged line");
    tasks.await(id, "");
    tasks.delete(id, "");
    assertThat(Files.readAllLines(log))
        .containsExactly(id + " " + TaskClient.NAMESPACE + " key a b", "logged line");
  }

  @Test
  void a_logger_program_gets_what_a_terminal_shows() throws Exception {
    String id = id("ttylogger");
    Path log = folder.resolve("logged");
    Path program = folder.resolve("logger.sh");
    Files.writeString(program, "#!/bin/sh\nexec 5>&-\ncat <&3 > " + log + "\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
    bundles.make(id, spec -> spec.withTerminal(true), "sh", "-c", "stty size; exit 3");
    tasks.create(bundles.request(id, new Stdio("", "binary://" + program, "", true)).build());
    tasks.resize(id, "", 101, 37);
    tasks.start(id, "");
    assertThat(tasks.await(id, "")).isEqualTo(3);
    tasks.delete(id, "");
    assertThat(Files.readAllLines(log)).containsExactly("37 101");
  }

  @Test
  void input_ends_when_it_was_closed_on_both_sides() throws Exception {
    String id = id("input");
    Path in = fifo("in");
    Path out = fifo("out");
    Callable<String> reader = reader(out);
    run(id, new Stdio(in.toString(), out.toString(), "", false), "cat");
    try (OwnedDescriptor client = OwnedDescriptor.open(in, Access.WRITE)) {
      client.write(ByteBuffer.allocateDirect(6).put("typed\n".getBytes(UTF_8)).flip());
    }
    // the client left, but nobody said that it was the end
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.RUNNING);
    tasks.closeStdin(id, "");
    assertThat(tasks.await(id, "")).isZero();
    assertThat(reader.call()).isEqualTo("typed\n");
    tasks.delete(id, "");
  }

  @Test
  void execs_have_their_own_output_exit_code_and_events() throws Exception {
    String id = id("exec");
    run(id, NONE, "sleep", "1000");
    Path out = fifo("out");
    Callable<String> reader = reader(out);
    String process = Bundles.process("sh", "-c", "echo from exec; exit 5").toText();
    tasks.exec(id, "e1", process, new Stdio("", out.toString(), "", false));
    assertCode(
        () -> tasks.exec(id, "e1", process, NONE), StatusCode.ALREADY_EXISTS, "already exists");
    assertCode(() -> tasks.kill(id, "e1", TERM, false), StatusCode.FAILED_PRECONDITION, "");
    assertThat(tasks.state(id, "e1").getStatus()).isEqualTo(Status.CREATED);
    int pid = tasks.start(id, "e1");
    assertThat(pid).isPositive();
    assertThat(tasks.await(id, "e1")).isEqualTo(5);
    assertThat(reader.call()).isEqualTo("from exec\n");
    assertThat(tasks.state(id, "e1").getExitStatus()).isEqualTo(5);
    assertThat(tasks.delete(id, "e1").getExitStatus()).isEqualTo(5);
    assertCode(() -> tasks.state(id, "e1"), StatusCode.NOT_FOUND, "e1");
    killAndDelete(id);
    assertThat(events.awaitTopic(id, "delete"))
        .containsExactly("create", "start", "exec-added", "exec-started", "exit", "exit", "delete");
  }

  @Test
  void an_exec_that_cannot_start_says_why_and_can_be_deleted() throws Exception {
    String id = id("badexec");
    run(id, NONE, "sleep", "1000");
    tasks.exec(id, "e1", Bundles.process("/no/such").toText(), NONE);
    Future<Integer> waiting = inBackground(() -> tasks.await(id, "e1"));
    assertCode(() -> tasks.start(id, "e1"), StatusCode.UNKNOWN, "OCI runtime exec failed: ");
    tasks.delete(id, "e1");
    try {
      assertThat(waiting.get(60, TimeUnit.SECONDS)).isEqualTo(255);
    } catch (ExecutionException e) { // it came when the start had failed, or after the deletion
      assertThat(e.getCause())
          .isInstanceOfSatisfying(
              TtrpcException.class, t -> assertThat(t.code()).isEqualTo(StatusCode.NOT_FOUND));
    }
    killAndDelete(id);
  }

  @Test
  void the_exit_of_an_exec_is_told_before_that_of_the_container() throws Exception {
    String id = id("order");
    run(id, NONE, "sleep", "1000");
    for (int i = 0; i < 3; i++) {
      tasks.exec(id, "e" + i, Bundles.process("sleep", "1000").toText(), NONE);
      tasks.start(id, "e" + i);
    }
    List<Integer> pids = new ArrayList<>();
    List<String> execs = new ArrayList<>();
    for (var process : tasks.pids(id).getProcessesList()) {
      pids.add(process.getPid());
      if (process.hasInfo()) {
        assertThat(process.getInfo().getTypeUrl()).isEqualTo("containerd.runc.v1.ProcessDetails");
        execs.add(ProcessDetails.parseFrom(process.getInfo().getValue()).getExecId());
      }
    }
    assertThat(pids).hasSize(4).contains(tasks.state(id, "").getPid());
    assertThat(execs).containsExactlyInAnyOrder("e0", "e1", "e2");
    tasks.kill(id, "", KILL, false);
    assertThat(tasks.await(id, "")).isEqualTo(137);
    List<Envelope> seen =
        events.await(id, all -> EventSink.exits(all).stream().anyMatch(e -> e.getId().equals(id)));
    assertThat(EventSink.exits(seen)).hasSize(4);
    assertThat(EventSink.exits(seen).getLast().getId()).isEqualTo(id);
    tasks.delete(id, "");
  }

  @Test
  void signals_reach_the_process_they_are_sent_to() throws Exception {
    String id = id("signal");
    run(id, NONE, "sh", "-c", "trap 'exit 9' TERM; while true; do sleep 0.05; done");
    tasks.exec(id, "e1", Bundles.process("sleep", "1000").toText(), NONE);
    tasks.start(id, "e1");
    tasks.kill(id, "e1", KILL, false);
    assertThat(tasks.await(id, "e1")).isEqualTo(137);
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.RUNNING);
    assertCode(() -> tasks.delete(id, ""), StatusCode.UNKNOWN, "cannot delete a running process");
    until(
        () -> {
          try {
            tasks.kill(id, "", TERM, false); // again, should the trap not have been set yet
            return tasks.state(id, "").getStatus() == Status.STOPPED;
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          } catch (TtrpcException e) {
            return e.code() == StatusCode.NOT_FOUND;
          }
        },
        () -> "did not stop");
    assertThat(tasks.await(id, "")).isIn(9, 143);
    tasks.delete(id, "");
  }

  @Test
  void without_a_pid_namespace_nothing_outlives_the_first_process() throws Exception {
    String id = id("killall");
    bundles.make(
        id, spec -> spec.withoutNamespace("pid"), "sh", "-c", "sleep 1000 & sleep 1001 & exit 0");
    tasks.create(bundles.request(id, NONE).build());
    tasks.start(id, "");
    assertThat(tasks.await(id, "")).isZero();
    until(
        () -> {
          try {
            return tasks.pids(id).getProcessesCount() == 0;
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        },
        () -> "processes outlive the container");
    tasks.delete(id, "");
  }

  @Test
  void a_container_is_paused_and_resumed() throws Exception {
    String id = id("pause");
    run(id, NONE, "sleep", "1000");
    tasks.pause(id);
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.PAUSED);
    assertCode(() -> tasks.pause(id), StatusCode.UNKNOWN, "cannot pause a paused process");
    assertCode(
        () -> tasks.exec(id, "e1", Bundles.process("true").toText(), NONE),
        StatusCode.UNKNOWN,
        "paused");
    tasks.resume(id);
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.RUNNING);
    killAndDelete(id);
    assertThat(events.awaitTopic(id, "delete"))
        .containsExactly("create", "start", "paused", "resumed", "exit", "delete");
  }

  @Test
  void a_terminal_is_copied_both_ways_and_resized() throws Exception {
    String id = id("tty");
    Path in = fifo("in");
    Path out = fifo("out");
    Callable<String> reader = reader(out);
    bundles.make(
        id,
        spec -> spec.withTerminal(true),
        "sh",
        "-c",
        "read line; echo got $line; stty size; exit 6");
    tasks.create(bundles.request(id, new Stdio(in.toString(), out.toString(), "", true)).build());
    tasks.resize(id, "", 101, 37);
    tasks.start(id, "");
    try (OwnedDescriptor client = OwnedDescriptor.open(in, Access.WRITE)) {
      client.write(ByteBuffer.allocateDirect(3).put("hi\n".getBytes(UTF_8)).flip());
      assertThat(tasks.await(id, "")).isEqualTo(6);
    }
    assertThat(reader.call().replace("\r", "")).isEqualTo("hi\ngot hi\n37 101\n");
    tasks.delete(id, "");
  }

  @Test
  void much_terminal_output_arrives_whole_at_a_slow_reader() throws Exception {
    String id = id("ttyexec");
    run(id, NONE, "sleep", "1000");
    Path out = fifo("out");
    tasks.exec(
        id,
        "e1",
        Bundles.process("sh", "-c", "i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done")
            .toText(),
        new Stdio("", out.toString(), "", true));
    tasks.start(id, "e1");
    Future<Integer> exit = inBackground(() -> tasks.await(id, "e1"));
    String text = reader(out).call().replace("\r", "");
    assertThat(text.lines().count()).isEqualTo(30000);
    assertThat(text).endsWith("29998\n29999\n");
    assertThat(exit.get()).isZero();
    tasks.delete(id, "e1");
    killAndDelete(id);
  }

  @Test
  void a_terminal_with_output_that_nobody_takes_costs_nothing_once_its_process_has_ended()
      throws Exception {
    String id = id("ttyfull");
    run(id, NONE, "sleep", "1000");
    Path out = fifo("out");
    Callable<String> reader = reader(out);
    // more than a FIFO holds and less than what it and the terminal's own buffers hold
    String program = "dd if=/dev/zero bs=1024 count=67 2>/dev/null";
    tasks.exec(
        id,
        "e1",
        Bundles.process("sh", "-c", program).toText(),
        new Stdio("", out.toString(), "", true));
    tasks.start(id, "e1");
    assertThat(tasks.await(id, "e1")).isZero();
    long ticks = host.processorTime("terminals");
    host.awaitEnd(Duration.ofSeconds(1));
    assertThat(host.processorTime("terminals") - ticks).isLessThan(10); // hundredths of a second
    assertThat(reader.call()).hasSize(67 * 1024);
    tasks.delete(id, "e1");
    killAndDelete(id);
  }

  @Test
  void running_out_of_memory_is_told() throws Exception {
    String id = id("oom");
    bundles.make(
        id,
        spec ->
            spec.patchResources(
                r -> r.with("memory", JsonObject.EMPTY.with("limit", 16 * 1024 * 1024))),
        "sh",
        "-c",
        "tail /dev/zero");
    tasks.create(bundles.request(id, NONE).build());
    tasks.start(id, "");
    assertThat(tasks.await(id, "")).isEqualTo(137);
    assertThat(events.await(id, all -> EventSink.topics(all).contains("oom"))).isNotEmpty();
    tasks.delete(id, "");
  }

  @Test
  void counters_and_limits_are_those_of_the_container() throws Exception {
    String id = id("stats");
    bundles.make(
        id,
        spec ->
            spec.patchResources(
                r -> r.with("memory", JsonObject.EMPTY.with("limit", 64 * 1024 * 1024))),
        "sleep",
        "1000");
    tasks.create(bundles.request(id, NONE).build());
    tasks.start(id, "");
    assertThat(tasks.stats(id).getTypeUrl()).isEqualTo("io.containerd.cgroups.v1.Metrics");
    Metrics metrics = Metrics.parseFrom(tasks.stats(id).getValue());
    assertThat(metrics.getMemory().getUsage().getLimit()).isEqualTo(64 * 1024 * 1024);
    assertThat(metrics.getMemory().getUsage().getUsage()).isPositive();
    until( // threads of the runtime, as long as the program has not taken its place
        () -> processes(id) == 1, () -> processes(id) + " processes");
    assertThat(metrics.getCpu().getUsage().getTotal()).isPositive();
    tasks.update(id, "{\"memory\":{\"limit\":33554432}}");
    metrics = Metrics.parseFrom(tasks.stats(id).getValue());
    assertThat(metrics.getMemory().getUsage().getLimit()).isEqualTo(32 * 1024 * 1024);
    killAndDelete(id);
  }

  private long processes(String id) {
    try {
      return Metrics.parseFrom(tasks.stats(id).getValue()).getPids().getCurrent();
    } catch (InvalidProtocolBufferException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_root_made_of_mounts_is_mounted_and_unmounted() throws Exception {
    String id = id("overlay");
    Path bundle = Files.createDirectories(bundles.bundle(id));
    Path lower = bundles.rootfs(folder.resolve("lower"));
    Path upper = Files.createDirectories(folder.resolve("upper"));
    Path work = Files.createDirectories(folder.resolve("work"));
    bundles.writeSpec(id, UnaryOperator.identity(), "sh", "-c", "echo kept > /tmp/file");
    CreateTaskRequest request =
        bundles
            .request(id, NONE)
            .addRootfs(
                Mount.newBuilder()
                    .setType("overlay")
                    .setSource("overlay")
                    .addOptions("lowerdir=" + lower)
                    .addOptions("upperdir=" + upper)
                    .addOptions("workdir=" + work))
            .build();
    tasks.create(request);
    tasks.start(id, "");
    assertThat(tasks.await(id, "")).isZero();
    tasks.delete(id, "");
    assertThat(Files.readString(upper.resolve("tmp/file"))).isEqualTo("kept\n");
    assertThat(bundle.resolve("rootfs")).isEmptyDirectory();
  }

  @Test
  void a_failed_creation_says_what_the_runtime_said_and_leaves_nothing() throws Exception {
    String id = id("bad");
    Path lower = bundles.rootfs(folder.resolve("lower"));
    Files.createDirectories(bundles.bundle(id));
    bundles.writeSpec(id, UnaryOperator.identity(), "/no/such/program");
    CreateTaskRequest request =
        bundles
            .request(id, NONE)
            .addRootfs(
                Mount.newBuilder().setType("bind").setSource(lower.toString()).addOptions("rbind"))
            .build();
    assertCode(() -> tasks.create(request), StatusCode.UNKNOWN, "OCI runtime create failed: ");
    assertCode(() -> tasks.create(request), StatusCode.UNKNOWN, "/no/such/program");
    assertCode(() -> tasks.state(id, ""), StatusCode.NOT_FOUND, "");
    CreateTaskRequest noFifo =
        bundles.request(id, new Stdio("", folder.resolve("none").toString(), "", false)).build();
    assertCode(() -> tasks.create(noFifo), StatusCode.UNKNOWN, "no such file or directory");
  }

  @Test
  void twenty_containers_at_once_all_tell_their_own_exit() throws Exception {
    List<Future<Integer>> exits = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String id = id("many" + i + "x");
      bundles.make(id, UnaryOperator.identity(), "sh", "-c", "exit " + (20 + i));
      exits.add(
          inBackground(
              () -> {
                tasks.create(bundles.request(id, NONE).build());
                tasks.start(id, "");
                int exit = tasks.await(id, "");
                assertThat(tasks.delete(id, "").getExitStatus()).isEqualTo(exit);
                return exit;
              }));
    }
    for (int i = 0; i < 20; i++) {
      assertThat(exits.get(i).get()).isEqualTo(20 + i);
      assertThat(events.awaitTopic(id("many" + i + "x"), "delete"))
          .containsExactly("create", "start", "exit", "delete");
    }
  }

  @Test
  void events_wait_for_a_daemon_that_is_away_and_come_once_and_in_order() throws Exception {
    String id = id("away");
    events.stop();
    run(id, NONE, "sh", "-c", "exit 2");
    assertThat(tasks.await(id, "")).isEqualTo(2);
    tasks.delete(id, "");
    events.restart();
    assertThat(events.awaitTopic(id, "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  @Test
  void a_host_does_not_stay_for_events_alone_and_the_next_one_tells_them() throws Exception {
    String id = id("unheard");
    events.stop();
    run(id, NONE, "true");
    tasks.await(id, "");
    tasks.delete(id, "");
    tasks.close();
    assertThat(host.awaitEnd(Duration.ofSeconds(5))).as("a daemon that restarts").isFalse();
    assertThat(host.awaitEnd(Duration.ofSeconds(60))).isTrue();
    assertThat(HostProcess.state(folder).resolve("events/journal")).isNotEmptyFile();
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    events.restart();
    assertThat(events.awaitTopic(id, "delete"))
        .containsExactly("create", "start", "exit", "delete");
    before = settled();
  }

  @Test
  void what_happens_while_nothing_can_be_written_is_told_all_the_same() throws Exception {
    tasks.close();
    host.kill();
    Path state = HostProcess.state(folder);
    sh("mount -t tmpfs -o size=256k small " + state);
    try {
      host = HostProcess.start(folder);
      tasks = new TaskClient(host.connect());
      String id = id("full");
      bundles.make(id, UnaryOperator.identity(), "sleep", "1000");
      events.stop();
      tasks.create(bundles.request(id, NONE).build());
      sh("dd if=/dev/zero of=" + state + "/filler 2>/dev/null; test -s " + state + "/filler");
      for (int i = 0; i < 100; i++) { // until the journal needs room as well
        tasks.exec(id, "e" + i, Bundles.process("true").toText(), NONE);
        tasks.delete(id, "e" + i);
      }
      tasks.start(id, "");
      tasks.kill(id, "", KILL, false);
      assertThat(tasks.await(id, "")).isEqualTo(137);
      events.restart();
      List<String> topics = events.awaitTopic(id, "exit");
      assertThat(topics).startsWith("create", "exec-added").endsWith("exec-added", "start", "exit");
      assertThat(topics).hasSize(103);
      Files.delete(state.resolve("filler"));
      tasks.delete(id, "");
      assertThat(events.awaitTopic(id, "delete")).hasSize(104);
    } finally {
      tasks.close();
      host.close();
      sh("umount " + state);
      host = HostProcess.start(folder);
      tasks = new TaskClient(host.connect());
      before = settled();
    }
  }

  @Test
  void a_host_that_waits_for_its_predecessor_is_not_deceived_by_what_that_removes()
      throws Exception {
    String id = id("gone");
    events.stop();
    run(id, NONE, "true");
    tasks.await(id, "");
    tasks.delete(id, "");
    tasks.close();
    host.terminate(); // and is held up by events that nobody takes
    until(() -> !Files.exists(folder.resolve("s")), () -> "still serves");
    HostProcess predecessor = host;
    host = HostProcess.begin(folder);
    until(() -> host.hasOpen(HostProcess.state(folder).resolve("lock")), () -> "does not wait");
    events.restart();
    assertThat(predecessor.awaitEnd(Duration.ofSeconds(60))).isTrue();
    host.awaitServing();
    tasks = new TaskClient(host.connect());
    String next = id("next");
    run(next, NONE, "sleep", "1000");
    Path record = Path.of("containers", TaskClient.NAMESPACE, next + ".json");
    assertThat(HostProcess.state(folder).resolve(record)).exists();
    killAndDelete(next);
    events.awaitTopic(next, "delete"); // until then its connection to the daemon comes and goes
    before = settled();
  }

  @Test
  void of_a_container_whose_bundle_went_with_its_host_the_next_one_leaves_nothing()
      throws Exception {
    String running = id("dropped");
    String stopped = id("ended");
    run(running, NONE, "sleep", "1000");
    run(stopped, NONE, "true");
    tasks.await(stopped, "");
    ProcessIdentity process = ProcessIdentity.of(tasks.state(running, "").getPid()).orElseThrow();
    Path states = folder.resolve("runtime").resolve(TaskClient.NAMESPACE);
    assertThat(states.resolve(running)).exists();
    assertThat(groups()).isNotEmpty();
    tasks.close();
    host.kill();
    for (String id : List.of(running, stopped)) {
      sh("rm -r " + bundles.bundle(id));
    }
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    assertThat(process.isRunning()).isFalse();
    assertThat(states.resolve(running)).doesNotExist();
    assertThat(states.resolve(stopped)).doesNotExist();
    assertThat(groups()).isEmpty();
    assertCode(() -> tasks.state(running, ""), StatusCode.NOT_FOUND, "");
    before = settled();
  }

  @Test
  void a_create_that_hangs_is_told_and_ends_with_its_command_when_it_is_cancelled()
      throws Exception {
    Path entered = folder.resolve("entered");
    String id = id("cancelled");
    bundles.make(id, UnaryOperator.identity(), "true");
    Path slow = slowly(entered, folder.resolve("never"));
    CreateTaskRequest request =
        bundles
            .request(id, NONE)
            .setOptions(new Bundles(folder, slow.toString()).request(id, NONE).getOptions())
            .build();
    Future<Integer> creating = inBackground(() -> tasks.create(request));
    until(() -> entered.toFile().length() > 1, () -> "the runtime was not called");
    int command = Integer.parseInt(Files.readString(entered).strip());
    Operation told = tasks.operations("kind==create,key==\"" + id + "\"").getFirst();
    assertThat(told.getStage()).isEqualTo("runtime create");
    assertThat(told.getWaitsFor()).isEqualTo(slow + " create");
    assertThat(told.getNamespace()).isEqualTo(TaskClient.NAMESPACE);
    tasks.cancel(told.getId());
    assertThatThrownBy(creating::get).hasCauseInstanceOf(TtrpcException.class);
    until(() -> hasEnded(command), () -> "the runtime still runs");
    assertThat(tasks.operations("key==\"" + id + "\"")).isEmpty();
    tasks.create(bundles.request(id, NONE).build());
    tasks.delete(id, "");
  }

  /** A runtime that notes its number when it shall create, and does so when there is a file. */
  private Path slowly(Path entered, Path go) throws IOException {
    Path slow = folder.resolve("slow");
    Files.writeString(
        slow,
        "#!/bin/sh\ncase \"$*\" in *' create '*) echo $$ > %s; while [ ! -e %s ]; do sleep 0.02;"
                .formatted(entered, go)
            + " done;; esac\nexec "
            + binary()
            + " \"$@\"\n");
    assertThat(slow.toFile().setExecutable(true)).isTrue();
    return slow;
  }

  @Test
  void a_runtime_command_of_a_killed_host_makes_no_container_later() throws Exception {
    Path entered = folder.resolve("entered");
    Path go = folder.resolve("go");
    Path slow = slowly(entered, go);
    String id = id("orphan");
    bundles.make(id, UnaryOperator.identity(), "sleep", "1000");
    CreateTaskRequest.Builder request = bundles.request(id, NONE);
    CreateTaskRequest slowly =
        request
            .setOptions(new Bundles(folder, slow.toString()).request(id, NONE).getOptions())
            .build();
    Future<Integer> creating = inBackground(() -> tasks.create(slowly));
    until(() -> entered.toFile().length() > 1, () -> "the runtime was not called");
    int command = Integer.parseInt(Files.readString(entered).strip());
    host.kill();
    assertThatThrownBy(creating::get).hasCauseInstanceOf(TtrpcException.class);
    tasks.close();
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    before = settled();
    Files.createFile(go);
    until(() -> hasEnded(command), () -> "the runtime still runs");
    assertThat(groups()).isEmpty();
    assertThat(folder.resolve("runtime").resolve(id)).doesNotExist();
  }

  private static void sh(String command) throws Exception {
    Process process = new ProcessBuilder("sh", "-c", command).inheritIO().start();
    assertThat(process.waitFor()).as(command).isZero();
  }

  @Test
  void a_new_host_takes_over_what_a_killed_one_left() throws Exception {
    String running = id("keeps");
    String ending = id("ends");
    String pausing = id("paused");
    Path log = folder.resolve("keeps.log");
    run(
        running,
        new Stdio("", "file://" + log, "", false),
        "sh",
        "-c",
        "while true; do echo alive; sleep 0.05; done");
    tasks.exec(running, "e1", Bundles.process("sleep", "1000").toText(), NONE);
    tasks.start(running, "e1");
    run(ending, NONE, "sleep", "1000");
    run(pausing, NONE, "sleep", "1000");
    tasks.pause(pausing);
    int pid = tasks.state(running, "").getPid();
    int endingPid = tasks.state(ending, "").getPid();
    events.stop();
    tasks.close();
    host.kill();

    long size = Files.size(log);
    until(() -> log.toFile().length() > size + 30, () -> "the container's output stopped");
    assertThat(ProcessHandle.of(endingPid).orElseThrow().destroyForcibly()).isTrue();
    until(() -> hasEnded(endingPid), () -> "alive");

    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    assertThat(tasks.state(running, "").getStatus()).isEqualTo(Status.RUNNING);
    assertThat(tasks.state(running, "").getPid()).isEqualTo(pid);
    assertThat(tasks.state(running, "e1").getStatus()).isEqualTo(Status.RUNNING);
    assertThat(tasks.state(pausing, "").getStatus()).isEqualTo(Status.PAUSED);
    assertThat(tasks.await(ending, "")).isIn(137, 255); // 137 where the kernel still knows it
    tasks.delete(ending, "");
    tasks.resume(pausing);
    killAndDelete(pausing);

    tasks.exec(running, "e2", Bundles.process("sh", "-c", "exit 8").toText(), NONE);
    tasks.start(running, "e2");
    assertThat(tasks.await(running, "e2")).isEqualTo(8);
    tasks.delete(running, "e2");
    tasks.kill(running, "", KILL, false);
    assertThat(tasks.await(running, "")).isIn(137, 255); // 137 where the kernel keeps it
    tasks.delete(running, "");
    events.restart();
    List<Envelope> seen = events.await(running, all -> EventSink.topics(all).contains("delete"));
    assertThat(EventSink.exits(seen).stream().map(e -> e.getId()))
        .containsExactly("e2", "e1", running);
    assertThat(events.awaitTopic(ending, "delete"))
        .containsExactly("create", "start", "exit", "delete");
  }

  @Test
  void a_new_host_removes_what_a_killed_one_left_where_the_daemon_has_given_it_up()
      throws Exception {
    List<String> left = List.of(id("runs"), id("frozen"), id("made"), id("ended"));
    run(left.get(0), NONE, "sleep", "1000");
    tasks.exec(left.get(0), "e1", Bundles.process("sleep", "1000").toText(), NONE);
    tasks.start(left.get(0), "e1");
    run(left.get(1), NONE, "sleep", "1000");
    tasks.pause(left.get(1));
    bundles.make(left.get(2), UnaryOperator.identity(), "sleep", "1000");
    tasks.create(bundles.request(left.get(2), NONE).build());
    run(left.get(3), NONE, "true");
    tasks.await(left.get(3), "");
    List<String> told = new ArrayList<>(events.awaitTopic(left.get(3), "exit"));
    events.awaitTopic(left.get(1), "paused");
    List<Integer> pids = new ArrayList<>();
    for (String id : left) {
      pids.add(tasks.state(id, "").getPid());
    }
    pids.add(tasks.state(left.get(0), "e1").getPid());
    tasks.close();
    host.kill();

    host = HostProcess.start(folder, "--orphans", "remove");
    tasks = new TaskClient(host.connect());
    for (int pid : pids) {
      until(() -> hasEnded(pid), () -> "alive");
    }
    for (String id : left) {
      until(() -> isUnknown(id), () -> id + " is still known");
    }
    String next = id("next");
    run(next, NONE, "true");
    tasks.await(next, "");
    tasks.delete(next, "");
    events.awaitTopic(next, "delete");
    assertThat(events.awaitTopic(left.get(3), "exit")).isEqualTo(told);
    assertThat(events.awaitTopic(left.get(0), "exec-started"))
        .containsExactly("create", "start", "exec-added", "exec-started");
    before = settled();
  }

  private boolean isUnknown(String id) {
    try {
      tasks.state(id, "");
      return false;
    } catch (TtrpcException e) {
      return e.code() == StatusCode.NOT_FOUND;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_namespace_may_have_a_socket_on_which_calls_need_not_tell_it() throws Exception {
    Path socket = folder.resolve("ns.sock");
    CallOptions bare = CallOptions.within(Duration.ofSeconds(60));
    try (TtrpcClient asking = host.connect()) {
      byte[] request = // namespace 1, socket 2
          CreateTaskRequest.newBuilder()
              .setId(TaskClient.NAMESPACE)
              .setBundle(socket.toString())
              .build()
              .toByteArray();
      for (int time = 0; time < 2; time++) {
        byte[] address =
            asking.call("io.jcontainerd.shim.v1.Host", "ServeNamespace", request, bare);
        assertThat(new String(address, UTF_8)).isEqualTo("unix://" + socket);
      }
    }
    String id = id("bare");
    run(id, NONE, "sleep", "1000");
    StateRequest state = StateRequest.newBuilder().setId(id).build();
    try (TtrpcClient there = TtrpcClient.connect(socket, Duration.ofSeconds(60));
        TtrpcClient here = host.connect()) {
      assertThat(
              there
                  .call("containerd.task.v2.Task", "State", state, StateResponse.parser(), bare)
                  .getStatus())
          .isEqualTo(Status.RUNNING);
      assertCode(
          () -> here.call("containerd.task.v2.Task", "State", state, StateResponse.parser(), bare),
          StatusCode.FAILED_PRECONDITION,
          "namespace is required");
    }
    killAndDelete(id);
    before = settled();
  }

  @Test
  void one_that_lingers_is_not_asked_to_leave_and_waits_for_a_client_on_its_way() throws Exception {
    tasks.close();
    host.kill();
    host = HostProcess.start(folder, "--linger", "1");
    tasks = new TaskClient(host.connect());
    tasks.shutdown();
    Path mark = HostProcess.state(folder).resolve("expected");
    Files.writeString(mark, "\n");
    tasks.close();
    assertThat(host.awaitEnd(Duration.ofSeconds(3))).isFalse();
    assertThat(HostProcess.state(folder).resolve("serving")).isRegularFile();
    Files.setLastModifiedTime(mark, FileTime.fromMillis(0));
    assertThat(host.awaitEnd(Duration.ofSeconds(60))).isTrue();
    assertThat(HostProcess.state(folder)).doesNotExist();
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    before = settled();
  }

  @Test
  void a_container_whose_bundle_was_removed_is_not_taken_over() throws Exception {
    String id = id("nobundle");
    run(id, NONE, "sleep", "1000");
    int pid = tasks.state(id, "").getPid();
    tasks.close();
    host.kill();
    sh(binary() + " --root " + folder.resolve("runtime/shimtest") + " delete --force " + id);
    sh("rm -r " + bundles.bundle(id));
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    assertCode(() -> tasks.state(id, ""), StatusCode.NOT_FOUND, "container not created");
    until(() -> hasEnded(pid), () -> "alive");
    before = settled();
  }

  @Test
  void asked_to_leave_it_stays_until_its_last_container_is_gone() throws Exception {
    String id = id("leave");
    run(id, NONE, "sleep", "1000");
    host.terminate();
    tasks.shutdown();
    assertThat(host.awaitEnd(Duration.ofSeconds(1))).isFalse();
    assertThat(tasks.state(id, "").getStatus()).isEqualTo(Status.RUNNING);
    killAndDelete(id);
    assertThat(host.awaitEnd(Duration.ofSeconds(60))).isTrue();
    assertThat(host.exitCode()).isZero();
    assertThat(folder.resolve("host.log")).content().contains("shim host leaves");
    assertThat(events.awaitTopic(id, "delete"))
        .containsExactly("create", "start", "exit", "delete");
    tasks.close();
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left.map(path -> path.getFileName().toString()).filter(n -> n.startsWith("c-")))
          .isEmpty();
    }
    assertThat(HostProcess.state(folder)).doesNotExist();
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    before = settled();
  }

  @Test
  void asked_to_leave_it_stays_for_a_container_that_is_coming() throws Exception {
    Path state = HostProcess.state(folder);
    String id = id("came");
    bundles.make(id, UnaryOperator.identity(), "sleep", "1000");
    Path coming = Files.createDirectories(state.resolve("coming")).resolve("ns.web");
    Files.createFile(coming);
    tasks.shutdown();
    assertThat(host.awaitEnd(Duration.ofSeconds(1))).isFalse();
    until(() -> Files.exists(state.resolve("serving")), () -> "serves no more");
    tasks.create(bundles.request(id, NONE).build());
    Files.delete(coming);
    tasks.start(id, "");
    assertThat(host.awaitEnd(Duration.ofSeconds(1))).isFalse();
    killAndDelete(id);
    assertThat(host.awaitEnd(Duration.ofSeconds(60))).isTrue();
    tasks.close();
    assertThat(state).doesNotExist();
    host = HostProcess.start(folder);
    tasks = new TaskClient(host.connect());
    before = settled();
  }
}

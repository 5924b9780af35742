package io.jcontainerd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;

/** The distribution's containerd, unmodified, with our shim host under it. */
@Tag("root")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JruncTest {
  private static final Path STATES = Path.of("/run/jcontainerd/jrunc");
  private static final Path LAUNCHER = Daemon.launcher("containerd-shim-jrunc-v2");
  static final String RUNTIME = "io.containerd.jrunc.v2";

  private Path folder;
  private String root;
  private Daemon daemon;
  private Ctr ctr;
  private Traces before;
  private final List<Path> sockets = new ArrayList<>();

  @BeforeAll
  void open() {
    folder = Scene.folder("jrunc");
    root = folder.resolve("tree").toString();
    TestImage.tree(Path.of(root));
    before = Traces.now(folder);
    daemon =
        new Daemon(folder.resolve("d"), false)
            .withProgram("/usr/bin/containerd")
            .withEnvironment("JCONTAINERD_SHIM_LINGER", "1")
            .withEnvironment("PATH", LAUNCHER.getParent() + ":" + System.getenv("PATH"))
            .start();
    ctr = daemon.ctr(folder.getFileName().toString());
  }

  @AfterAll
  void close() throws IOException {
    for (Ctr at : List.of(ctr, ctr.beside("b"))) {
      for (String task : at.run("tasks", "ls", "-q").lines()) {
        at.run("tasks", "rm", "-f", task);
      }
    }
    // a client that was announced is waited for some seconds
    Await.until("the host leaves with its state", () -> states().isEmpty());
    assertThat(sockets).isNotEmpty().noneMatch(Files::exists);
    daemon.close();
    before.assertNothingAdded(folder);
    Command.run("rm", "-rf", folder.toString()).ok();
  }

  private List<Path> states() {
    return states(folder);
  }

  /** The state folders of hosts that serve a daemon which has its socket in the folder. */
  static List<Path> states(Path folder) {
    String key = folder.toString().replace('/', '%');
    if (!Files.isDirectory(STATES)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(STATES)) {
      return all.filter(path -> path.getFileName().toString().contains(key)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The sockets of a host; to be asked for while it has a container, for else it may leave. */
  private static List<Path> sockets(Path state) throws IOException {
    List<Path> sockets = new ArrayList<>();
    try (Stream<Path> entries = Files.list(state.resolve("sockets"))) {
      for (Path entry : entries.toList()) {
        sockets.add(Path.of(Files.readString(entry).strip().substring("unix://".length())));
      }
    }
    return sockets;
  }

  private long host() {
    Await.until("one host", () -> states().size() == 1); // one that served before may be leaving
    String line = Scene.read(states().getFirst().resolve("serving"));
    return Long.parseLong(line.substring(0, line.indexOf(' ')));
  }

  private static Command run(Ctr at, String root, String id, String... command) {
    return at.run(
        Command.line(List.of("run", "-d", "--runtime", RUNTIME, "--rootfs", root, id), command));
  }

  private List<String> line(String... words) {
    return Command.line(List.of("run", "--rm", "--runtime", RUNTIME, "--rootfs"), words);
  }

  @TestFactory
  Stream<DynamicTest> a_day_under_the_distributions_daemon() {
    Ctr other = ctr.beside("b");
    Background[] events = new Background[1];
    String[] pids = new String[2];
    return new Cases("jrunc under " + Command.run("containerd", "--version").text())
            .add(
                "run prints, and answers its status",
                () -> {
                  events[0] = events();
                  Command run = ctr.run(line(root, "one", "/bin/sh", "-c", "echo hello; exit 7"));
                  assertThat(run.out()).contains("hello");
                  assertThat(run.status()).isEqualTo(7);
                  assertThat(ctr.ok("tasks", "ls", "-q").lines()).isEmpty();
                })
            .add(
                "its events are those of any shim",
                () -> {
                  Await.until(
                      "one is told to be deleted",
                      () -> topics(events[0].text(), "one").contains("delete"));
                  assertThat(topics(events[0].text(), "one"))
                      .containsExactly("create", "start", "exit", "delete");
                  assertThat(events[0].text()).contains("\"exit_status\":7");
                })
            .add(
                "containers of all namespaces have one host, even with the same name",
                () -> {
                  run(ctr, root, "same", "/bin/sleep", "1000").ok();
                  long host = host();
                  run(other, root, "same", "/bin/sleep", "1000").ok();
                  run(ctr, root, "more", "/bin/sleep", "1000").ok();
                  assertThat(host()).isEqualTo(host);
                  sockets.addAll(sockets(states().getFirst()));
                  pids[0] = Long.toString(Tasks.pid(ctr, "same"));
                  pids[1] = Long.toString(Tasks.pid(other, "same"));
                  assertThat(pids[0]).isNotEqualTo(pids[1]);
                  assertThat(ctr.ok("tasks", "ps", "same").out()).contains(pids[0]);
                  assertThat(other.ok("tasks", "ps", "same").out()).contains(pids[1]);
                })
            .add(
                "the host is killed before the daemon, for lack of memory",
                () -> {
                  assertThat(score(host())).isEqualTo(Math.min(1000, score(daemon.pid()) + 1));
                })
            .add(
                "exec, with and without a terminal",
                () -> {
                  Command exec =
                      ctr.run(
                          "tasks",
                          "exec",
                          "--exec-id",
                          "e1",
                          "same",
                          "/bin/sh",
                          "-c",
                          "echo in; exit 3");
                  assertThat(exec.out()).contains("in");
                  assertThat(exec.status()).isEqualTo(3);
                  String line =
                      String.join(
                          " ",
                          ctr.line("tasks", "exec", "-t", "--exec-id", "e2", "same", "/bin/tty"));
                  assertThat(Command.run("script", "-qec", line, "/dev/null").ok().out())
                      .contains("/dev/pts/");
                })
            .add(
                "pause, resume, kill",
                () -> {
                  ctr.ok("tasks", "pause", "more");
                  assertThat(Tasks.status(ctr, "more")).isEqualTo("PAUSED");
                  ctr.ok("tasks", "resume", "more");
                  assertThat(Tasks.status(ctr, "more")).isEqualTo("RUNNING");
                  ctr.ok("tasks", "kill", "-s", "KILL", "more");
                  Tasks.awaitStatus(ctr, "more", "STOPPED");
                  Tasks.remove(ctr, "more");
                })
            .add(
                "metrics are told",
                () -> assertThat(ctr.ok("tasks", "metrics", "same").out()).contains("memory"))
            .add(
                "the daemon is started again and finds its tasks",
                () -> {
                  events[0].close();
                  long host = host();
                  daemon.kill();
                  daemon.start();
                  assertThat(Long.toString(Tasks.pid(ctr, "same"))).isEqualTo(pids[0]);
                  assertThat(Long.toString(Tasks.pid(other, "same"))).isEqualTo(pids[1]);
                  assertThat(host()).isEqualTo(host);
                  assertThat(
                          ctr.ok("tasks", "exec", "--exec-id", "e3", "same", "/bin/echo", "after")
                              .out())
                      .contains("after");
                })
            .add(
                "the host is killed: the daemon tells the exits, and nothing is left",
                () -> {
                  events[0] = events();
                  run(ctr, root, "third", "/bin/sleep", "1000").ok();
                  events[0].awaitText("/tasks/start");
                  long third = Tasks.pid(ctr, "third");
                  ProcessHandle.of(host()).orElseThrow().destroyForcibly();
                  for (String id : List.of("same", "third")) {
                    Await.until(
                        id + " is told to be deleted: " + events[0].text(),
                        () -> topics(events[0].text(), id).contains("delete"));
                  }
                  assertThat(topics(events[0].text(), "third"))
                      .containsExactly("create", "start", "exit", "delete");
                  assertThat(events[0].text())
                      .contains("\"pid\":" + third + ",\"exit_status\":137");
                  for (String pid : List.of(pids[0], pids[1], Long.toString(third))) {
                    Await.until(
                        "process " + pid + " has ended",
                        () ->
                            ProcessHandle.of(Long.parseLong(pid))
                                .filter(ProcessHandle::isAlive)
                                .isEmpty());
                  }
                  Await.until(
                      "no task is listed",
                      () ->
                          ctr.ok("tasks", "ls", "-q").lines().isEmpty()
                              && other.ok("tasks", "ls", "-q").lines().isEmpty());
                  Path bundles = daemon.state().resolve("io.containerd.runtime.v2.task");
                  for (Ctr at : List.of(ctr, other)) {
                    Await.until(
                        "no bundle is left",
                        () -> {
                          try (Stream<Path> left = Files.list(bundles.resolve(at.namespace()))) {
                            return left.findAny().isEmpty();
                          } catch (IOException e) {
                            throw new UncheckedIOException(e);
                          }
                        });
                  }
                  events[0].close();
                  ctr.ok("containers", "rm", "same", "third");
                  other.ok("containers", "rm", "same");
                })
            .add(
                "and the next container has a host again",
                () ->
                    assertThat(ctr.run(line(root, "next", "/bin/echo", "again")).ok().out())
                        .contains("again"))
            .stream();
  }

  /** What is told from now on. */
  private Background events() {
    ctr.run("namespaces", "create", ctr.namespace());
    Background events = Background.start(ctr.line("events"));
    Await.until(
        "events flow",
        () -> {
          ctr.ok("namespaces", "label", ctr.namespace(), "ping=" + System.nanoTime());
          return events.text().contains("/namespaces/update");
        });
    return events;
  }

  private static int score(long pid) {
    return Integer.parseInt(Scene.read(Path.of("/proc/" + pid + "/oom_score_adj")).strip());
  }

  /** What was told of a container, in order; execs left out. */
  private static List<String> topics(String events, String id) {
    return events
        .lines()
        .filter(l -> l.contains(" /tasks/") && l.contains("\"container_id\":\"" + id + "\""))
        .map(l -> l.replaceFirst(".* /tasks/([a-z-]+) .*", "$1"))
        .toList();
  }

  // --- the launcher by itself

  private record Answer(int status, byte[] out, String err) {}

  /** Runs the launcher in a bundle, as a daemon does. */
  private Answer launch(Path bundle, Map<String, String> environment, byte[] input, String... line)
      throws Exception {
    Path in = Files.createTempFile("e2e-in", "");
    Path out = Files.createTempFile("e2e-out", "");
    Path err = Files.createTempFile("e2e-err", "");
    try {
      Files.write(in, input);
      ProcessBuilder program =
          new ProcessBuilder(Command.line(List.of(LAUNCHER.toString()), line))
              .directory(bundle.toFile())
              .redirectInput(in.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      program.environment().put("JCONTAINERD_SHIM_LINGER", "0");
      program.environment().putAll(environment);
      Process process = program.start();
      assertThat(process.waitFor(Command.LIMIT.toSeconds(), TimeUnit.SECONDS)).isTrue();
      return new Answer(process.exitValue(), Files.readAllBytes(out), Files.readString(err));
    } finally {
      Files.delete(in);
      Files.delete(out);
      Files.delete(err);
    }
  }

  private static byte[] field(int number, String text) {
    var bytes = new ByteArrayOutputStream();
    bytes.write(number << 3 | 2);
    byte[] value = text.getBytes(UTF_8);
    for (int rest = value.length; ; rest >>= 7) {
      bytes.write(rest > 127 ? rest & 127 | 128 : rest);
      if (rest <= 127) {
        break;
      }
    }
    bytes.writeBytes(value);
    return bytes.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    var bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  /** Java answers the first one, the script those that find a host; their answers are the same. */
  @Test
  void the_answer_is_in_the_form_that_the_daemon_understands() throws Exception {
    Path bundle = Files.createDirectories(folder.resolve("bundle"));
    String address = folder.resolve("nobody.sock").toString();
    String ttrpc = address + ".ttrpc";
    for (String id : List.of("one", "ten-letter", "a".repeat(76))) {
      String[] line = {"-namespace", "ns", "-address", address, "-id", id, "start"};
      byte[] parameters = join(field(1, id), field(2, "ns"), field(5, ttrpc), field(6, address));
      byte[] options =
          join(
              field(1, "containerd.runc.v1.Options"),
              field(2, new String(field(6, "runc"), UTF_8)));
      String told = "";
      for (int time = 0; time < 2; time++) {
        Answer bare = launch(bundle, Map.of("TTRPC_ADDRESS", ttrpc), options, line);
        assertThat(bare.err).isEmpty();
        assertThat(bare.status).isZero();
        told = new String(bare.out, UTF_8);
        assertThat(told).matches("unix:///run/containerd/s/[0-9a-f]{64}");
        assertThat(bundle.resolve("address")).hasContent(told);
        Answer json = launch(bundle, Map.of("MAX_SHIM_VERSION", "2"), options, line);
        assertThat(new String(json.out, UTF_8))
            .isEqualTo("{\"version\":2,\"address\":\"" + told + "\",\"protocol\":\"ttrpc\"}");
        Answer message = launch(bundle, Map.of("MAX_SHIM_VERSION", "2"), parameters, line);
        byte[] version = {8, 3};
        assertThat(message.out).isEqualTo(join(version, field(2, told), field(3, "ttrpc")));
        line[0] = "--namespace"; // which the script leaves to Java
      }
    }
    // at once, for the host waits only some seconds for the client that was announced last
    Path state = Path.of(Scene.read(bundle.resolve("shim-state")).strip());
    String serving = Scene.read(state.resolve("serving"));
    Answer deleted = launch(bundle, Map.of(), new byte[0], deletion("one", address, "-namespace"));
    Files.writeString(bundle.resolve("init.pid"), "4194303");
    for (String flag : List.of("-namespace", "--namespace")) {
      Answer with = launch(bundle, Map.of(), new byte[0], deletion("one", address, flag));
      assertThat(with.status).isZero();
      // pid 1, exit_status 2, exited_at 3 with seconds 1
      byte[] begin = {8, (byte) 0xff, (byte) 0xff, (byte) 0xff, 1, 16, (byte) 0x89, 1, 26};
      assertThat(with.out).startsWith(begin);
      assertThat(with.out.length).isBetween(begin.length + 7, begin.length + 13);
    }
    assertThat(deleted.out).startsWith((byte) 8, (byte) 0, (byte) 16);
    try {
      Files.setLastModifiedTime(
          state.resolve("expected"), java.nio.file.attribute.FileTime.fromMillis(0));
    } catch (NoSuchFileException _) {
      // it has waited long enough already
    }
    long host = Long.parseLong(serving.substring(0, serving.indexOf(' ')));
    Await.until(
        "the host leaves, for nobody came",
        () -> ProcessHandle.of(host).filter(ProcessHandle::isAlive).isEmpty());
    assertThat(state).doesNotExist();
  }

  private static String[] deletion(String id, String address, String namespace) {
    return new String[] {namespace, "ns", "-address", address, "-id", id, "-bundle", ".", "delete"};
  }

  @Test
  void what_is_wrong_is_said_in_a_sentence() throws Exception {
    Answer unknown = launch(folder, Map.of(), new byte[0], "-nonsense", "start");
    assertThat(unknown.status).isEqualTo(1);
    assertThat(unknown.err).contains("not defined: -nonsense");
    Answer nameless = launch(folder, Map.of(), new byte[0], "start");
    assertThat(nameless.err).contains("namespace cannot be empty");
    assertThat(launch(folder, Map.of(), new byte[0], "-namespace", "n", "-id", "i").err)
        .contains("action must be start or delete");
  }

  @Test
  void it_tells_about_itself_and_the_oci_runtime() throws Exception {
    Answer version = launch(folder, Map.of(), new byte[0], "-v");
    assertThat(new String(version.out, UTF_8)).startsWith("containerd-shim-jrunc-v2:");
    Answer info = launch(folder, Map.of(), new byte[0], "-info");
    assertThat(info.status).isZero();
    assertThat(info.out).startsWith(field(1, RUNTIME));
    Path fake = folder.resolve("oci-runtime");
    Files.writeString(
        fake, "#!/bin/sh\n[ \"$1\" = features ] && echo '{\"ociVersionMin\":\"1.0.0\"}'\n");
    Command.run("chmod", "755", fake.toString()).ok();
    byte[] options =
        join(
            field(1, "containerd.runc.v1.Options"),
            field(2, new String(field(6, fake.toString()), UTF_8)));
    Answer featured = launch(folder, Map.of(), options, "-info");
    assertThat(new String(featured.out, UTF_8))
        .contains("runtime-spec/1/features/Features")
        .contains("{\"ociVersionMin\":\"1.0.0\"}");
  }
}

package io.jcontainerd.shim;

import static io.jcontainerd.core.operation.RunningOperation.tell;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.descriptor.OwnedDescriptor;
import io.jcontainerd.linux.process.Program;
import io.jcontainerd.linux.process.ProgramRunner;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The command line of runc, which crun and others share: one method per command, for one container.
 * Safe for many threads.
 */
final class OciRuntime {
  private static final Duration LIMIT = Duration.ofMinutes(2);
  private static final int MAX_OUTPUT = 4 * 1024 * 1024;
  private static final String PATH = "PATH=";
  private static final byte[] NOTHING = {};
  private static final AtomicLong LOGS = new AtomicLong();

  private final ProgramRunner runner;
  private final RuntimeTurns turns;
  private final RuntimeCopies copies;
  private final List<String> environment;
  private final RuntimeOptions options;
  private final String id;
  private final Path bundle;

  OciRuntime(
      ProgramRunner runner,
      RuntimeTurns turns,
      RuntimeCopies copies,
      List<String> environment,
      RuntimeOptions options,
      String id,
      Path bundle) {
    this.runner = runner;
    this.turns = turns;
    this.copies = copies;
    this.environment = environment;
    this.options = options;
    this.id = id;
    this.bundle = bundle;
  }

  RuntimeOptions options() {
    return options;
  }

  /** Whether the runtime can find a program of that name. */
  boolean finds(String program) {
    return environment.stream()
        .filter(variable -> variable.startsWith(PATH))
        .anyMatch(variable -> CriuWork.onPath(variable.substring(PATH.length()), program));
  }

  /**
   * Creates the container. Its first process gets the descriptors as they are, so whatever the
   * runtime itself has to say is in its log.
   */
  void create(Map<Integer, OwnedDescriptor> streams, Optional<Path> consoleSocket, Path pidFile)
      throws OciRuntimeException, IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of("create", "--bundle", bundle.toString(), "--pid-file", pidFile.toString()));
    consoleSocket.ifPresent(path -> arguments.addAll(List.of("--console-socket", path.toString())));
    if (options.noPivotRoot()) {
      arguments.add("--no-pivot");
    }
    if (options.noNewKeyring()) {
      arguments.add("--no-new-keyring");
    }
    arguments.add(id);
    run("create", arguments, streams, NOTHING);
  }

  /** Brings back a container from a checkpoint; it runs detached afterwards. */
  void restore(
      Map<Integer, OwnedDescriptor> streams,
      Optional<Path> consoleSocket,
      Path pidFile,
      Path image,
      Path work)
      throws OciRuntimeException, IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "restore",
                "--detach",
                "--image-path",
                image.toString(),
                "--work-path",
                work.toString(),
                "--bundle",
                bundle.toString(),
                "--pid-file",
                pidFile.toString()));
    consoleSocket.ifPresent(path -> arguments.addAll(List.of("--console-socket", path.toString())));
    if (options.noPivotRoot()) {
      arguments.add("--no-pivot");
    }
    arguments.add(id);
    run("restore", arguments, streams, NOTHING);
  }

  /** Lets the created container's program begin. */
  void start() throws OciRuntimeException, IOException, InterruptedException {
    run("start", List.of("start", id), Map.of(), NOTHING);
  }

  /** Starts a further process, described by a file, which outlives the command. */
  void exec(
      Path process,
      Map<Integer, OwnedDescriptor> streams,
      Optional<Path> consoleSocket,
      Path pidFile)
      throws OciRuntimeException, IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "exec",
                "--process",
                process.toString(),
                "--pid-file",
                pidFile.toString(),
                "--detach"));
    consoleSocket.ifPresent(path -> arguments.addAll(List.of("--console-socket", path.toString())));
    arguments.add(id);
    run("exec", arguments, streams, NOTHING);
  }

  /** Signals the first process, or all of them. */
  void kill(int signal, boolean all) throws OciRuntimeException, IOException, InterruptedException {
    List<String> arguments = new ArrayList<>(List.of("kill"));
    if (all) {
      arguments.add("--all");
    }
    arguments.add(id);
    arguments.add(Integer.toString(signal));
    run("kill", arguments, Map.of(), NOTHING);
  }

  /** Removes what the runtime keeps of the container; with force, whatever state it is in. */
  void delete(boolean force) throws OciRuntimeException, IOException, InterruptedException {
    run(
        "delete",
        force ? List.of("delete", "--force", id) : List.of("delete", id),
        Map.of(),
        NOTHING);
  }

  /** Freezes all processes. */
  void pause() throws OciRuntimeException, IOException, InterruptedException {
    run("pause", List.of("pause", id), Map.of(), NOTHING);
  }

  /** Lets all processes go on. */
  void resume() throws OciRuntimeException, IOException, InterruptedException {
    run("resume", List.of("resume", id), Map.of(), NOTHING);
  }

  /** Changes limits, given as the JSON of {@code linux.resources}. */
  void update(byte[] resources) throws OciRuntimeException, IOException, InterruptedException {
    run("update", List.of("update", "--resources", "-", id), Map.of(), resources);
  }

  /**
   * The state that the runtime knows: {@code created}, {@code running}, {@code paused}, {@code
   * stopped}.
   */
  String state() throws OciRuntimeException, IOException, InterruptedException {
    byte[] output = run("state", List.of("state", id), Map.of(), NOTHING);
    try {
      return JsonObject.parse(output).string("status").orElse("");
    } catch (ContainerdException e) {
      throw new OciRuntimeException(
          "OCI runtime state failed: unreadable answer: " + e.getMessage());
    }
  }

  /** Writes the memory of all processes to a folder. */
  void checkpoint(List<String> flags, Path image, Path work)
      throws OciRuntimeException, IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "checkpoint", "--image-path", image.toString(), "--work-path", work.toString()));
    arguments.addAll(flags);
    arguments.add(id);
    run("checkpoint", arguments, Map.of(), NOTHING);
  }

  private byte[] run(
      String command, List<String> arguments, Map<Integer, OwnedDescriptor> streams, byte[] input)
      throws OciRuntimeException, IOException, InterruptedException {
    Path log =
        command.equals("create")
            ? bundle.resolve("log.json")
            : bundle.resolve("log-" + LOGS.incrementAndGet() + ".json");
    List<String> all =
        new ArrayList<>(
            List.of(
                "--root",
                options.root().toString(),
                "--log",
                log.toString(),
                "--log-format",
                "json"));
    if (options.systemdCgroup()) {
      all.add("--systemd-cgroup");
    }
    all.addAll(arguments);
    tell("runtime turn", "its turn to run " + options.binary() + " " + command);
    try (RuntimeTurns.Turn _ = turns.take(command);
        RuntimeCopies.Use copy = copies.use(options.binary())) {
      tell("runtime " + command, options.binary() + " " + command);
      ProgramRunner.Finished finished =
          runner.run(copy.of(program(all).withDescriptors(streams)), input, LIMIT, MAX_OUTPUT);
      if (finished.timedOut()) {
        throw new OciRuntimeException(
            "OCI runtime "
                + command
                + " failed: "
                + options.binary()
                + " did not end within "
                + LIMIT.toSeconds()
                + " s");
      }
      if (!finished.exit().success()) {
        throw new OciRuntimeException(
            "OCI runtime " + command + " failed: " + reason(log, finished));
      }
      return finished.output();
    } catch (ErrnoException e) {
      if (e.is(Errno.ENOENT)) {
        throw new OciRuntimeException("OCI runtime " + command + " failed: " + notFound());
      }
      throw e;
    } finally {
      if (!command.equals("create")) {
        Files.deleteIfExists(log);
      }
    }
  }

  /** Wrappers of runtimes rely on being started in the bundle, which may be gone at a clean-up. */
  private Program program(List<String> arguments) {
    Program program = Program.of(options.binary(), arguments, environment);
    return Files.isDirectory(bundle) ? program.in(bundle) : program;
  }

  /** In the words that clients of containerd look for, and what to do. */
  private String notFound() {
    String binary = options.binary();
    return (binary.contains("/")
            ? "fork/exec " + binary + ": no such file or directory"
            : "exec: \"" + binary + "\": executable file not found in $PATH")
        + ": install it, or name an OCI runtime that is there in the option BinaryName";
  }

  /** The last error in the runtime's log; else what it printed; else how it ended. */
  private String reason(Path log, ProgramRunner.Finished finished) throws IOException {
    String last = "";
    try {
      for (String line : Files.readAllLines(log, UTF_8)) {
        Optional<JsonObject> entry = entry(line);
        if (entry.isPresent()
            && entry
                .get()
                .at("level")
                .flatMap(level -> level.asString())
                .orElse("")
                .equals("error")) {
          last = entry.get().at("msg").flatMap(text -> text.asString()).orElse(last);
        }
      }
    } catch (NoSuchFileException e) {
      last = ""; // it failed before it could write one
    }
    if (last.isEmpty()) {
      last = new String(finished.error(), UTF_8).strip();
    }
    return last.isEmpty()
        ? options.binary() + " ended with status " + finished.exit().code()
        : last;
  }

  private static Optional<JsonObject> entry(String line) {
    try {
      return Optional.of(JsonObject.parse(line));
    } catch (ContainerdException e) {
      return Optional.empty(); // a line cut off by the runtime's death
    }
  }
}

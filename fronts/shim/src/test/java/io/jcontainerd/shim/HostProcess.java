package io.jcontainerd.shim;

import io.jcontainerd.ttrpc.TtrpcClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The shim host as a process of its own, in a private mount namespace that crun accepts. */
final class HostProcess implements AutoCloseable {
  private static final String WITHOUT_HYBRID =
      "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; exec \"$@\"";

  private final Process process;
  private final Path folder;
  private final Path socket;

  /** The connection by which it was seen to serve, until somebody takes it. */
  private Optional<TtrpcClient> first = Optional.empty();

  private HostProcess(Process process, Path folder, Path socket) {
    this.process = process;
    this.folder = folder;
    this.socket = socket;
  }

  /** The host's state; its path is as long as a daemon makes it. */
  static Path state(Path folder) {
    return folder.resolve("io.jcontainerd.shim.v1.host").resolve("host-" + "0123456789".repeat(6));
  }

  /** What the host takes for the system's folder of temporary files. */
  static Path temporary(Path folder) {
    return folder.resolve("temporary");
  }

  /** Starts it and does not wait. */
  static HostProcess begin(Path folder, String... options) throws Exception {
    Path socket = folder.resolve("s");
    String paths = System.getProperty("jdk.module.path", "");
    String classPath =
        Stream.of(paths, System.getProperty("java.class.path", ""))
            .filter(part -> !part.isEmpty())
            .reduce((left, right) -> left + ":" + right)
            .orElseThrow();
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "-m",
                "sh",
                "-c",
                WITHOUT_HYBRID,
                "sh",
                System.getProperty("java.home") + "/bin/java",
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx64m",
                "-Xss256k",
                "-Djava.io.tmpdir=" + Files.createDirectories(temporary(folder)),
                "-cp",
                classPath,
                "io.jcontainerd.shim.ShimHost",
                "--socket",
                socket.toString(),
                "--state",
                state(folder).toString(),
                "--events",
                folder.resolve("events.sock").toString()));
    command.addAll(List.of(options));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("host.log").toFile()))
            .start();
    return new HostProcess(process, folder, socket);
  }

  static HostProcess start(Path folder, String... options) throws Exception {
    HostProcess host = begin(folder, options);
    host.awaitServing();
    return host;
  }

  /** A host that is left alone would leave, so it is connected with from then on. */
  void awaitServing() throws Exception {
    long deadline = System.nanoTime() + 120_000_000_000L;
    while (true) {
      try {
        first = Optional.of(TtrpcClient.connect(socket, Duration.ofSeconds(10)));
        return;
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() - deadline > 0) {
          throw new AssertionError(Files.readString(folder.resolve("host.log")), e);
        }
        process.waitFor(20, TimeUnit.MILLISECONDS); // returns early only if it died
      }
    }
  }

  TtrpcClient connect() throws Exception {
    Optional<TtrpcClient> seen = first;
    first = Optional.empty();
    return seen.isPresent() ? seen.get() : TtrpcClient.connect(socket, Duration.ofSeconds(60));
  }

  long pid() {
    return process.pid();
  }

  /** Dies as in a crash. */
  void kill() throws Exception {
    process.destroyForcibly();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      throw new AssertionError("the host survived SIGKILL");
    }
  }

  /** Is asked to leave. */
  void terminate() {
    process.destroy();
  }

  boolean awaitEnd(Duration limit) throws InterruptedException {
    return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
  }

  int exitCode() {
    return process.exitValue();
  }

  /** Everything that can leak, by kind. */
  Map<String, Long> belongings() throws IOException {
    Map<String, Long> counts = new TreeMap<>();
    Path proc = Path.of("/proc/" + pid());
    counts.put("descriptors", (long) open().size());
    counts.put(
        "mounts",
        Files.readAllLines(proc.resolve("mountinfo")).stream()
            .filter(line -> line.contains(folder.toString()))
            .count());
    counts.put("children", process.toHandle().children().count());
    return counts;
  }

  /** What it has open, but for what the JDK opens at its first use and keeps. */
  List<String> open() throws IOException {
    List<String> open = new ArrayList<>();
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid() + "/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        try {
          open.add(Files.readSymbolicLink(descriptor).toString());
        } catch (NoSuchFileException e) {
          continue; // closed meanwhile
        }
      }
    }
    open.removeIf(file -> file.endsWith(".jar") || file.matches("/dev/u?random"));
    return open;
  }

  /** Whether it has the file open. */
  boolean hasOpen(Path file) {
    try {
      return open().contains(file.toString());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Processor time that a thread has used, in ticks. */
  long processorTime(String thread) throws IOException {
    try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid() + "/task"))) {
      for (Path folder : threads.toList()) {
        String line = Files.readString(folder.resolve("stat"));
        if (line.contains("(" + thread + ")")) {
          String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
          return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        }
      }
    }
    throw new AssertionError("no thread " + thread);
  }

  @Override
  public void close() throws Exception {
    first.ifPresent(TtrpcClient::close);
    if (process.isAlive()) {
      kill();
    }
  }
}

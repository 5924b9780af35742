package io.jcontainerd.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A daemon on private folders, started from the checkout's launchers.
 *
 * <p>With {@code JCONTAINERD_E2E_DAEMON=/usr/bin/containerd} it is the reference instead: a suite
 * is proven by running it on what it was written after.
 */
final class Daemon implements AutoCloseable {
  /** Enters a mount namespace without the second cgroup hierarchy, which some runtimes refuse. */
  private static final String WITHOUT_UNIFIED =
      "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi;"
          + " exec \"$@\"";

  /** What is usual is for machines that have nothing else to do. */
  private static final String TIMEOUTS =
      """
      [timeouts]
        "io.containerd.timeout.metrics.shimstats" = "60s"
        "io.containerd.timeout.shim.cleanup" = "30s"
        "io.containerd.timeout.shim.load" = "60s"
        "io.containerd.timeout.shim.shutdown" = "10s"
        "io.containerd.timeout.task.state" = "60s"
      """;

  private static final Duration START = Duration.ofMinutes(3);
  private static final Duration END = Duration.ofMinutes(2);

  private final Path folder;
  private final boolean privateMounts;
  private final List<String> extra = new ArrayList<>();
  private String config = "";
  private final Map<String, String> environment = new HashMap<>();
  private @Nullable String program = reference();
  private @Nullable Process process;

  /**
   * @param privateMounts whether it runs in a mount namespace of its own without {@code
   *     /sys/fs/cgroup/unified}
   */
  Daemon(Path folder, boolean privateMounts) {
    this.folder = folder;
    this.privateMounts = privateMounts;
  }

  static @Nullable String reference() {
    return System.getenv("JCONTAINERD_E2E_DAEMON");
  }

  /** Another containerd instead of ours. */
  Daemon withProgram(String containerd) {
    program = containerd;
    return this;
  }

  static Path launcher(String name) {
    return Path.of(System.getProperty("jcontainerd.bin", "../../target/bin"))
        .toAbsolutePath()
        .normalize()
        .resolve(name);
  }

  Daemon withConfig(String toml) {
    config = toml;
    return this;
  }

  /** Lets it find programs in this folder only. */
  Daemon withPath(Path only) {
    return withEnvironment("PATH", only.toString());
  }

  Daemon withEnvironment(String name, String value) {
    environment.put(name, value);
    return this;
  }

  Path config() {
    return folder.resolve("config.toml");
  }

  Daemon withArguments(String... arguments) {
    extra.addAll(List.of(arguments));
    return this;
  }

  Path root() {
    return folder.resolve("root");
  }

  Path state() {
    return folder.resolve("state");
  }

  /** Where the bytes of a blob are. */
  Path blob(String digest) {
    return root().resolve("io.containerd.content.v1.content/blobs/" + digest.replace(':', '/'));
  }

  Path socket() {
    return folder.resolve("c.sock");
  }

  Path log() {
    return folder.resolve("daemon.log");
  }

  String logText() {
    try {
      return Files.exists(log()) ? Files.readString(log()) : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<String> commandLine() {
    List<String> line = new ArrayList<>();
    if (privateMounts) {
      line.addAll(
          List.of("unshare", "-m", "--propagation", "slave", "sh", "-c", WITHOUT_UNIFIED, "sh"));
    }
    String reference = program;
    try {
      Path file = config();
      String head =
          "version = 2\nimports = []\nroot = \"%s\"\nstate = \"%s\"\n".formatted(root(), state());
      if (reference != null) {
        head += "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n";
      }
      Files.writeString(
          file, head + TIMEOUTS + "[grpc]\n  address = \"%s\"\n".formatted(socket()) + config);
      line.add(reference == null ? launcher("jcontainerd").toString() : reference);
      line.addAll(List.of("--config", file.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    line.addAll(extra);
    return line;
  }

  /** Starts the process without waiting for it to answer. */
  Process launch() {
    try {
      Files.createDirectories(folder);
      ProcessBuilder program =
          new ProcessBuilder(commandLine())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
      program.environment().putAll(environment);
      Process started = program.start();
      process = started;
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts the process and waits for its first answer. */
  Daemon start() {
    Process started = launch();
    try {
      Await.until("the daemon answers", START, () -> !started.isAlive() || answers());
    } catch (AssertionError e) {
      throw new AssertionError("it said: " + logText(), e);
    }
    if (!started.isAlive()) {
      throw new AssertionError("the daemon ended: " + logText());
    }
    return this;
  }

  /**
   * The files that it has open, but for those of the store, whose readers become more with the
   * calls that happen to come at the same moment, and for what only the virtual machine waits by.
   */
  int openFiles() {
    try (Stream<Path> open = Files.list(Path.of("/proc/" + pid() + "/fd"))) {
      return (int) open.filter(Daemon::isOfWork).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isOfWork(Path descriptor) {
    try {
      String target = Files.readSymbolicLink(descriptor).toString();
      return !target.contains("/store.db")
          && !target.equals("anon_inode:[eventpoll]")
          && !target.equals("anon_inode:[eventfd]");
    } catch (IOException e) {
      return false; // closed since it was listed
    }
  }

  private boolean answers() {
    return Files.exists(socket())
        && Command.run(Ctr.binary(), "-a", socket().toString(), "version").status() == 0;
  }

  boolean alive() {
    return process != null && process().isAlive();
  }

  long pid() {
    return process().pid();
  }

  private Process process() {
    Process current = process;
    if (current == null) {
      throw new AssertionError("the daemon was not started");
    }
    return current;
  }

  /** Ends it as a power switch would. */
  void kill() {
    process().destroyForcibly();
    awaitEnd();
  }

  /** Ends it in order. */
  void stop() {
    process().destroy();
    awaitEnd();
  }

  private void awaitEnd() {
    try {
      if (!process().waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("the daemon did not end: " + logText());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  Ctr ctr(String namespace) {
    return new Ctr(socket(), namespace);
  }

  @Override
  public void close() {
    Process current = process;
    if (current != null && current.isAlive()) {
      stop();
    }
  }
}

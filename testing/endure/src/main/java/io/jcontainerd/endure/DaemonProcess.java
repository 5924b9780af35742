package io.jcontainerd.endure;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.failure.ContainerdException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The daemon as it is shipped, on folders of its own. */
final class DaemonProcess {
  private static final Duration READY = Duration.ofMinutes(3);
  private static final Duration END = Duration.ofMinutes(2);

  private static final List<String> WITHOUT_UNIFIED =
      List.of(
          "unshare",
          "-m",
          "--propagation",
          "slave",
          "sh",
          "-c",
          "! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified; exec \"$@\"",
          "sh");

  private final Path program;
  private final Path folder;
  private final Path run;
  private final boolean oneHierarchy;
  private @Nullable Process process;
  private long logBegan;

  /**
   * @param program its launcher
   * @param folder for what stays
   * @param run for sockets, whose paths must be short, and what a reboot may take
   */
  DaemonProcess(Path program, Path folder, Path run) {
    this(program, folder, run, false);
  }

  /**
   * The same.
   *
   * @param oneHierarchy whether it is not to see the second hierarchy of cgroups, where there are
   *     two, for crun refuses to work then
   */
  DaemonProcess(Path program, Path folder, Path run, boolean oneHierarchy) {
    this.program = program;
    this.folder = folder;
    this.run = run;
    this.oneHierarchy = oneHierarchy;
  }

  Path root() {
    return folder.resolve("root");
  }

  Path state() {
    return run.resolve("state");
  }

  Path log() {
    return folder.resolve("daemon.log");
  }

  Path folder() {
    return folder;
  }

  Path run() {
    return run;
  }

  String address() {
    return run.resolve("d.sock").toString();
  }

  /** Starts it without waiting for an answer. */
  void launch() throws IOException {
    Files.createDirectories(folder);
    Files.createDirectories(run);
    Path config = folder.resolve("config.toml");
    Files.writeString(
        config,
        """
        version = 4
        imports = []
        root = "%s"
        state = "%s"

        [timeouts]
          "io.containerd.timeout.metrics.shimstats" = "60s"
          "io.containerd.timeout.shim.cleanup" = "30s"
          "io.containerd.timeout.shim.load" = "60s"
          "io.containerd.timeout.shim.shutdown" = "10s"
          "io.containerd.timeout.task.state" = "60s"

        [plugins."io.containerd.shim.v1.manager"]
          socket_dir = "%s"

        [plugins."io.containerd.internal.v1.opt"]
          path = "%s"

        [plugins."io.containerd.server.v1.grpc"]
          address = "%s"

        [plugins."io.containerd.server.v1.ttrpc"]
          address = "%s.ttrpc"
        """
            .formatted(
                root(), state(), run.resolve("s"), folder.resolve("opt"), address(), address()));
    logBegan = Files.exists(log()) ? Files.size(log()) : 0;
    List<String> line = new ArrayList<>(List.of("setsid"));
    if (oneHierarchy) {
      line.addAll(WITHOUT_UNIFIED);
    }
    line.addAll(List.of(program.toString(), "--config", config.toString()));
    process =
        new ProcessBuilder(line)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
            .start();
  }

  /** Waits for its first answer; the client is the caller's to close. */
  Containerd awaitReady() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + READY.toNanos();
    while (!accepts()) {
      if (!process().isAlive() || System.nanoTime() > deadline) {
        throw new IOException("the daemon does not start: " + String.join("\n", newest(log(), 20)));
      }
      Thread.sleep(10);
    }
    Containerd client = Containerd.connect(address());
    try {
      client.awaitReady(READY);
      return client;
    } catch (ContainerdException e) {
      client.close();
      throw new IOException("the daemon does not answer", e);
    }
  }

  private boolean accepts() {
    try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      return probe.connect(UnixDomainSocketAddress.of(address()));
    } catch (IOException _) {
      return false; // nobody listens yet
    }
  }

  private static List<String> newest(Path file, int count) throws IOException {
    List<String> lines = Files.readAllLines(file);
    return lines.subList(Math.max(0, lines.size() - count), lines.size());
  }

  private Process process() {
    Process now = process;
    if (now == null) {
      throw new IllegalStateException("the daemon was not started");
    }
    return now;
  }

  long pid() {
    return process().pid();
  }

  /** Ends it at whatever instruction it is, and waits until it is gone. */
  void kill() throws IOException, InterruptedException {
    process().destroyForcibly();
    awaitEnd();
  }

  /** Ends it in order. */
  void stop() throws IOException, InterruptedException {
    process().destroy();
    awaitEnd();
  }

  private void awaitEnd() throws IOException, InterruptedException {
    if (!process().waitFor(END.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IOException("the daemon does not end");
    }
  }

  /** What it said of failures since it was started last. */
  List<String> errors() throws IOException {
    byte[] all = Files.readAllBytes(log());
    int from = Math.toIntExact(Math.min(logBegan, all.length));
    return new String(all, from, all.length - from, StandardCharsets.UTF_8)
        .lines()
        .filter(line -> line.contains(" level=error ") || line.contains(" level=fatal "))
        .toList();
  }
}

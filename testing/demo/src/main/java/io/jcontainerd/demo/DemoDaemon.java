package io.jcontainerd.demo;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.failure.ContainerdException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Our daemon on folders and a socket of its own. Closing stops it and waits for its end. */
final class DemoDaemon implements AutoCloseable {
  private static final Duration READY = Duration.ofMinutes(3);
  private static final int STOP_SECONDS = 60;

  private final Process process;
  private final Path socket;

  private DemoDaemon(Process process, Path socket) {
    this.process = process;
    this.socket = socket;
  }

  /**
   * Starts the daemon in a session of its own, so that an interrupt of the terminal reaches the
   * demonstration alone, which then ends things in order.
   */
  static DemoDaemon start(Path program, Path folder, Path run)
      throws IOException, InterruptedException {
    Path config = folder.resolve("config.toml");
    Files.writeString(
        config,
        """
        version = 4
        imports = []
        root = "%s"
        state = "%s"

        [plugins."io.containerd.shim.v1.manager"]
          socket_dir = "%s"

        [plugins."io.containerd.internal.v1.opt"]
          path = "%s"

        [plugins."io.containerd.server.v1.grpc"]
          address = "%s"
        """
            .formatted(
                folder.resolve("root"),
                run.resolve("state"),
                run.resolve("s"),
                folder.resolve("opt"),
                run.resolve("d.sock")));
    Path log = folder.resolve("daemon.log");
    Path socket = run.resolve("d.sock");
    Process process =
        new ProcessBuilder(
                List.of(
                    "setsid",
                    program.toString(),
                    "--config",
                    config.toString(),
                    "--root",
                    folder.resolve("root").toString(),
                    "--state",
                    run.resolve("state").toString(),
                    "--address",
                    socket.toString()))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    DemoDaemon daemon = new DemoDaemon(process, socket);
    try {
      daemon.awaitReady(log);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      daemon.close();
      throw e;
    }
    return daemon;
  }

  private void awaitReady(Path log) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + READY.toNanos();
    try (Containerd client = Containerd.connect(socket.toString())) {
      while (true) {
        try {
          client.awaitReady(Duration.ofMillis(300));
          return;
        } catch (ContainerdException e) {
          if (!process.isAlive() || System.nanoTime() > deadline) {
            throw new IOException("the daemon does not start: " + tail(log), e);
          }
        }
      }
    }
  }

  private static String tail(Path log) throws IOException {
    List<String> lines = Files.readAllLines(log);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size()));
  }

  String address() {
    return socket.toString();
  }

  long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    process.destroy();
    boolean interrupted = Thread.interrupted();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor(STOP_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

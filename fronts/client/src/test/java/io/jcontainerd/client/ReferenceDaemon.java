package io.jcontainerd.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** Debian's containerd on folders and a socket of its own, without CRI. Needs root. */
final class ReferenceDaemon implements AutoCloseable {
  private final Process process;
  private final Path folder;

  private ReferenceDaemon(Process process, Path folder) {
    this.process = process;
    this.folder = folder;
  }

  static ReferenceDaemon start(Path folder) throws IOException, InterruptedException {
    return start(folder, "shared");
  }

  static ReferenceDaemon start(Path folder, String contentSharing)
      throws IOException, InterruptedException {
    Files.createDirectories(folder);
    Path config = folder.resolve("config.toml");
    Files.writeString(
        config,
        """
        version = 2
        root = "%1$s/root"
        state = "%1$s/state"
        disabled_plugins = ["io.containerd.grpc.v1.cri"]
        [grpc]
          address = "%1$s/c.sock"
        [plugins."io.containerd.metadata.v1.bolt"]
          content_sharing_policy = "%2$s"
        """
            .formatted(folder, contentSharing));
    Process process =
        new ProcessBuilder("/usr/bin/containerd", "--config", config.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    ReferenceDaemon daemon = new ReferenceDaemon(process, folder);
    try (Containerd client = Containerd.connect(daemon.address())) {
      client.awaitReady(Duration.ofSeconds(120));
    } catch (RuntimeException | InterruptedException e) {
      daemon.close();
      throw e;
    }
    return daemon;
  }

  String address() {
    return "unix://" + folder.resolve("c.sock");
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}

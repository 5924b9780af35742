package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.oci.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Removes a container that has no host any more, as the bundle tells: the OCI runtime kills and
 * deletes it, and what is mounted at its root is unmounted. Nothing happens to one that is gone.
 *
 * @param environment of the OCI runtime
 */
record RemovalByHand(Path bundle, String namespace, String id, Map<String, String> environment) {
  private static final int MOST_OUTPUT = 1 << 20;
  private static final String DEFAULT_BINARY = "runc";
  private static final String DEFAULT_ROOT = "/run/containerd/runc";

  RemovalByHand {
    environment = Map.copyOf(environment);
  }

  /**
   * Does so.
   *
   * @throws LaunchException if the runtime cannot, with what it says
   */
  void run(Duration limit) throws IOException, InterruptedException {
    JsonObject options = options();
    String named = options.string("binary_name").orElse("");
    String binary = named.isEmpty() ? text("runtime") : named;
    String root = options.string("root").filter(r -> !r.isEmpty()).orElse(DEFAULT_ROOT);
    List<String> command = new ArrayList<>();
    command.add(binary.isEmpty() ? DEFAULT_BINARY : binary);
    command.addAll(List.of("--root", Path.of(root).resolve(namespace).toString()));
    if (options.flag("systemd_cgroup")) {
      command.add("--systemd-cgroup");
    }
    command.addAll(List.of("delete", "--force", id));
    try {
      delete(command, limit);
    } finally {
      new LinuxKernel(bundle.resolve("tmp")).detachAll(bundle.resolve("rootfs"));
    }
  }

  private void delete(List<String> command, Duration limit)
      throws IOException, InterruptedException {
    try (LinuxProcesses processes = LinuxProcesses.open()) {
      Processes.Finished end =
          processes.run(
              new Processes.Spawn(command, environment, bundle, new byte[0], true),
              limit,
              MOST_OUTPUT);
      String said = new String(end.error(), UTF_8).strip();
      if (end.status() != 0 && !said.contains("does not exist")) {
        throw new LaunchException(command.getFirst() + " does not delete " + id + ": " + said);
      }
    } catch (DeadlineExceededException e) {
      throw new LaunchException(command.getFirst() + " does not delete " + id + " in time", e);
    }
  }

  private JsonObject options() throws IOException {
    String text = text("options.json");
    return text.startsWith("{") ? JsonObject.parse(text) : JsonObject.EMPTY;
  }

  private String text(String file) throws IOException {
    try {
      return Files.readString(bundle.resolve(file)).strip();
    } catch (NoSuchFileException e) {
      return "";
    }
  }
}

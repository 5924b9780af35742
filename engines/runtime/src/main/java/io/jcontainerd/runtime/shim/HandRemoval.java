package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Removes a container by its OCI runtime's own command, when no shim is there to do it. */
record HandRemoval(
    Bundles bundles,
    Processes processes,
    ShimEnvironment environment,
    Supplier<Optional<Path>> ociRuntime) {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int MAX_OUTPUT = 10 << 20;

  /**
   * Removes the container, running or not; one that the OCI runtime does not know is removed.
   *
   * @throws UnknownException if the OCI runtime fails, with what it said
   */
  Exit remove(Bundle bundle, Duration limit) throws InterruptedException {
    JsonObject options =
        bundles
            .readText(bundle, "options.json")
            .filter(t -> t.startsWith("{"))
            .map(JsonObject::parse)
            .orElse(JsonObject.EMPTY);
    String binary =
        options
            .string("binary_name")
            .filter(n -> !n.isEmpty())
            .or(() -> ociRuntime.get().map(Path::toString))
            .orElse("runc");
    String root = options.string("root").filter(n -> !n.isEmpty()).orElse("/run/containerd/runc");
    List<String> delete =
        List.of(
            binary,
            "--root",
            Path.of(root).resolve(bundle.namespace()).toString(),
            "delete",
            "--force",
            bundle.id());
    var spawn =
        new Processes.Spawn(
            delete, environment.of(bundle.namespace()), bundle.path(), new byte[0], true);
    try {
      Processes.Finished end = processes.run(spawn, limit, MAX_OUTPUT);
      String said = new String(end.error(), UTF_8).strip();
      if (end.status() != 0 && !said.contains("does not exist")) {
        throw new UnknownException(bundle + ": " + binary + " delete: " + said);
      }
    } catch (IOException e) {
      throw new UnknownException(bundle + ": " + binary + " delete: " + e.getMessage(), e);
    }
    int pid = bundles.readText(bundle, "init.pid").map(HandRemoval::number).orElse(0);
    return new Exit(pid, 137, Instant.now());
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      LOG.log(Level.DEBUG, "init.pid is no number", e);
      return 0;
    }
  }
}

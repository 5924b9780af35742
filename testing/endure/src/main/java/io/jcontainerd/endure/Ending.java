package io.jcontainerd.endure;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * After the last daemon: the shim host leaves by itself, and nothing may be left on the machine.
 */
final class Ending {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path OCI_STATE = Path.of("/run/containerd/runc");
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private Ending() {}

  /**
   * Waits for the end of all processes and removes what belongs to the run.
   *
   * @param namespace whose cgroups are empty now
   * @return what did not go
   */
  static List<String> end(DaemonProcess daemon, String namespace)
      throws IOException, InterruptedException {
    String mark = daemon.run().toString();
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (!processes(mark).isEmpty() && System.nanoTime() < deadline) {
      Thread.sleep(50);
    }
    List<String> left = new ArrayList<>(processes(mark));
    if (left.isEmpty()) {
      Ground.delete(daemon.run());
      List<Path> empty = new ArrayList<>(cgroups(namespace));
      empty.add(OCI_STATE.resolve(namespace));
      for (Path folder : empty) {
        remove(folder, deadline)
            .ifPresent(why -> left.add("folder of containers " + folder + ": " + why));
      }
    }
    return left;
  }

  /** Why it cannot be removed; the kernel may take a process to be in a group a moment longer. */
  private static Optional<String> remove(Path folder, long deadline) throws InterruptedException {
    while (true) {
      try {
        Files.deleteIfExists(folder);
        return Optional.empty();
      } catch (IOException e) {
        if (System.nanoTime() > deadline) {
          return Optional.of(String.valueOf(e.getMessage()));
        }
        Thread.sleep(50);
      }
    }
  }

  private static List<String> processes(String mark) {
    return ProcessHandle.allProcesses()
        .filter(p -> p.pid() != ProcessHandle.current().pid())
        .map(p -> p.pid() + " " + Processes.commandLine(p.pid()))
        .filter(line -> line.contains(mark) && line.contains("io.jcontainerd."))
        .toList();
  }

  private static List<Path> cgroups(String namespace) throws IOException {
    List<Path> found = new ArrayList<>(List.of(CGROUPS.resolve(namespace)));
    try (DirectoryStream<Path> hierarchies = Files.newDirectoryStream(CGROUPS)) {
      hierarchies.forEach(hierarchy -> found.add(hierarchy.resolve(namespace)));
    }
    found.removeIf(group -> !Files.isDirectory(group));
    return found;
  }
}

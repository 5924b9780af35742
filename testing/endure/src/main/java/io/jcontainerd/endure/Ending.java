package io.jcontainerd.endure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * After the last daemon: the shim host leaves by itself, and nothing may be left on the machine.
 */
final class Ending {
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");
  private static final Path OCI_STATE = Path.of("/run/containerd/runc");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

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
        try {
          Files.deleteIfExists(folder);
        } catch (IOException e) {
          left.add("folder of containers " + folder + ": " + e.getMessage());
        }
      }
    }
    return left;
  }

  private static List<String> processes(String mark) {
    return ProcessHandle.allProcesses()
        .filter(p -> p.pid() != ProcessHandle.current().pid())
        .map(p -> p.pid() + " " + Processes.commandLine(p.pid()))
        .filter(line -> line.contains(mark) && line.contains("io.jcontainerd."))
        .toList();
  }

  private static List<Path> cgroups(String namespace) throws IOException {
    try (Stream<Path> found =
        Files.find(CGROUPS, 2, (path, _) -> path.getFileName().toString().equals(namespace))) {
      return found.toList();
    }
  }
}

package io.jcontainerd.daemon;

import io.jcontainerd.daemon.settings.DaemonSettings;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What the daemon does to its own process: its place in the cgroups, its value to the OOM killer.
 */
final class Ownership {
  private static final Logger LOG = System.getLogger(Ownership.class.getName());
  private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

  private Ownership() {}

  /** Applies {@code oom_score} and {@code cgroup.path}. */
  static void apply(DaemonSettings settings) throws IOException {
    if (settings.oomScore() != 0) {
      adjustOomScore(settings.oomScore());
    }
    if (!settings.cgroup().path().isEmpty()) {
      join(settings.cgroup().path());
    }
  }

  /** Some hosts forbid to lower it; then the daemon runs with what it has. */
  private static void adjustOomScore(int score) {
    try {
      Files.writeString(Path.of("/proc/self/oom_score_adj"), Integer.toString(score));
    } catch (IOException e) {
      LOG.log(Level.WARNING, "oom_score " + score + " cannot be set here, left as it is: " + e);
    }
  }

  private static void join(String path) throws IOException {
    String relative = path.startsWith("/") ? path.substring(1) : path;
    List<Path> hierarchies =
        Files.exists(CGROUPS.resolve("cgroup.controllers")) ? List.of(CGROUPS) : controllers();
    for (Path hierarchy : hierarchies) {
      Path cgroup = hierarchy.resolve(relative);
      Files.createDirectories(cgroup);
      Files.writeString(
          cgroup.resolve("cgroup.procs"), Long.toString(ProcessHandle.current().pid()));
    }
  }

  /** Version 1 hierarchies, each controller's once; links are second names of the same. */
  private static List<Path> controllers() throws IOException {
    try (var entries = Files.list(CGROUPS)) {
      return entries
          .filter(entry -> !Files.isSymbolicLink(entry))
          .filter(entry -> Files.exists(entry.resolve("cgroup.procs")))
          // cpusets of a new group are empty and take no process
          .filter(entry -> !entry.getFileName().toString().contains("cpuset"))
          .sorted()
          .toList();
    }
  }
}

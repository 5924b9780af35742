package io.jcontainerd.shim.launch;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a new host's process is given by the kernel.
 *
 * @param pid its number
 */
record HostProcess(int pid) {
  private static final int HIGHEST = 1000;
  private static final Path GROUPS = Path.of("/sys/fs/cgroup");

  /** Lets the kernel kill it a bit more readily than the daemon, for lack of memory. */
  void scoreAfter(long daemon) throws IOException {
    int own = Integer.parseInt(Files.readString(score(daemon)).strip());
    Files.writeString(score(pid), Integer.toString(Math.min(HIGHEST, own + 1)));
  }

  private static Path score(long process) {
    return Path.of("/proc", Long.toString(process), "oom_score_adj");
  }

  /** Moves it to a control group, of every hierarchy that has it. */
  void moveTo(String group) throws IOException {
    String below = group.startsWith("/") ? group.substring(1) : group;
    List<Path> found = new ArrayList<>();
    if (Files.exists(GROUPS.resolve("cgroup.controllers"))) {
      found.add(GROUPS.resolve(below));
    } else {
      try (DirectoryStream<Path> hierarchies = Files.newDirectoryStream(GROUPS)) {
        for (Path hierarchy : hierarchies) {
          if (!Files.isSymbolicLink(hierarchy) && Files.isDirectory(hierarchy.resolve(below))) {
            found.add(hierarchy.resolve(below));
          }
        }
      }
    }
    if (found.isEmpty()) {
      throw new LaunchException("failed to load cgroup " + group);
    }
    for (Path folder : found) {
      try {
        Files.writeString(folder.resolve("cgroup.procs"), Integer.toString(pid));
      } catch (IOException e) {
        throw new LaunchException("failed to join cgroup " + group + ": " + e.getMessage(), e);
      }
    }
  }
}

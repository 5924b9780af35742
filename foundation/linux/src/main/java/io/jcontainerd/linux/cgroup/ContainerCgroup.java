package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The control group that a process belongs to, found once and readable as long as it exists, even
 * after the process. On a host with both versions it is one of version 1.
 */
public sealed interface ContainerCgroup permits CgroupV1, CgroupV2 {
  /**
   * The group of a process. Format of {@code /proc/PID/cgroup}: see cgroups(7).
   *
   * @return empty if it is in no group but the root, which is nobody's own
   */
  static Optional<ContainerCgroup> of(int pid) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(Path.of("/proc/" + pid + "/cgroup"));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (!Files.exists(Path.of("/proc/" + pid))) {
        return Optional.empty();
      }
      throw e;
    }
    return find(lines, CgroupMounts.read());
  }

  private static Optional<ContainerCgroup> find(List<String> lines, CgroupMounts mounts) {
    Map<String, Path> controllers = new HashMap<>();
    Optional<Path> unified = Optional.empty();
    for (String line : lines) {
      String[] parts = line.split(":", 3);
      if (parts.length < 3 || parts[2].equals("/")) {
        continue;
      }
      if (parts[1].isEmpty()) {
        unified = mounts.unified().flatMap(mount -> mount.folder(parts[2]));
        continue;
      }
      for (String controller : parts[1].split(",", -1)) {
        Optional.ofNullable(mounts.controllers().get(controller))
            .flatMap(mount -> mount.folder(parts[2]))
            .ifPresent(folder -> controllers.put(controller, folder));
      }
    }
    if (!mounts.controllers().isEmpty()) {
      return controllers.isEmpty() ? Optional.empty() : Optional.of(new CgroupV1(controllers));
    }
    return unified.map(CgroupV2::new);
  }

  /** All processes in the group and the groups below it. */
  List<Integer> processes() throws IOException;

  /** Whether the group still exists. */
  boolean exists();

  /** The processes of a folder and those below it; a folder that vanishes meanwhile has none. */
  static List<Integer> processesBelow(Path folder) throws IOException {
    List<Integer> pids = new ArrayList<>();
    List<Path> folders = new ArrayList<>(List.of(folder));
    for (int i = 0; i < folders.size(); i++) {
      for (String line : StatFiles.lines(folders.get(i).resolve("cgroup.procs"))) {
        pids.add(Integer.valueOf(line.strip()));
      }
      try (Stream<Path> entries = Files.list(folders.get(i))) {
        entries.filter(Files::isDirectory).forEach(folders::add);
      } catch (NoSuchFileException e) {
        // removed while we looked
      }
    }
    return pids;
  }
}

package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the hierarchies of control groups are mounted, as {@code /proc/self/mountinfo} tells.
 *
 * @param controllers mount of each version 1 controller, named ones by their {@code name=} option
 * @param unified mount of version 2
 */
record CgroupMounts(Map<String, Mount> controllers, Optional<Mount> unified) {
  /**
   * One mount.
   *
   * @param root which group of the hierarchy is at the mount point
   * @param point the mount point
   */
  record Mount(Path root, Path point) {
    /**
     * The folder of a group given by its path in the hierarchy; empty if it is not below the root.
     */
    Optional<Path> folder(String group) {
      Path path = Path.of(group).normalize();
      return path.startsWith(root)
          ? Optional.of(point.resolve(root.relativize(path)))
          : Optional.empty();
    }
  }

  static CgroupMounts read() throws IOException {
    return parse(Files.readAllLines(Path.of("/proc/self/mountinfo")));
  }

  static CgroupMounts parse(List<String> mountinfo) {
    Map<String, Mount> controllers = new HashMap<>();
    List<Mount> unified = new ArrayList<>();
    for (String line : mountinfo) {
      int dash = line.indexOf(" - ");
      if (dash < 0) {
        continue;
      }
      String[] left = line.substring(0, dash).split(" ", -1);
      String[] right = line.substring(dash + 3).split(" ", -1);
      Mount mount = new Mount(Path.of(unescape(left[3])), Path.of(unescape(left[4])));
      if (right[0].equals("cgroup2")) {
        unified.add(mount);
      } else if (right[0].equals("cgroup")) {
        for (String option : right[2].split(",", -1)) {
          controllers.putIfAbsent(option, mount);
        }
      }
    }
    return new CgroupMounts(Map.copyOf(controllers), unified.stream().findFirst());
  }

  /** Mountinfo writes blanks, tabs, newlines and backslashes in octal. */
  private static String unescape(String text) {
    return text.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\");
  }
}

package io.jcontainerd.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The limits that hold for a process, read from its cgroups of either version on the host. */
final class Cgroup {
  private static final Path TOP = Path.of("/sys/fs/cgroup");

  private Cgroup() {}

  /** Limits by what they limit, as the kernel writes them. */
  static Map<String, String> limits(int pid) throws IOException {
    List<String> lines = Files.readAllLines(Path.of("/proc", Integer.toString(pid), "cgroup"));
    Map<String, String> limits = new LinkedHashMap<>();
    put(limits, "memory", lines, "memory", "memory.limit_in_bytes", "memory.max");
    put(limits, "cpu quota", lines, "cpu", "cpu.cfs_quota_us", "cpu.max");
    put(limits, "cpu period", lines, "cpu", "cpu.cfs_period_us", "cpu.max");
    put(limits, "cpu shares", lines, "cpu", "cpu.shares", "cpu.weight");
    put(limits, "pids", lines, "pids", "pids.max", "pids.max");
    return limits;
  }

  private static void put(
      Map<String, String> limits,
      String what,
      List<String> lines,
      String controller,
      String one,
      String two)
      throws IOException {
    Optional<Path> first =
        folder(lines, controller).map(f -> TOP.resolve(controller).resolve(f).resolve(one));
    Optional<Path> second = folder(lines, "").map(f -> TOP.resolve(f).resolve(two));
    Optional<Path> file = first.filter(Files::exists).or(() -> second.filter(Files::exists));
    if (file.isPresent()) {
      limits.put(what, Files.readString(file.get()).strip() + "  (" + file.get() + ")");
    }
  }

  /** {@code 4:memory:/path} for version 1, {@code 0::/path} for version 2. */
  private static Optional<String> folder(List<String> lines, String controller) {
    return lines.stream()
        .map(line -> line.split(":", 3))
        .filter(
            f ->
                f.length == 3
                    && (controller.isEmpty()
                        ? f[0].equals("0")
                        : List.of(f[1].split(",", -1)).contains(controller)))
        .map(f -> f[2].substring(1))
        .findFirst();
  }
}

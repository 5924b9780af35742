package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A group of version 1: one folder for each controller.
 *
 * @param folders by controller, such as {@code memory}
 */
public record CgroupV1(Map<String, Path> folders) implements ContainerCgroup {
  private static final List<String> FOR_PROCESSES =
      List.of("pids", "devices", "freezer", "memory", "cpu");
  private static final List<String> BLKIO_FILES =
      List.of(
          "io_service_bytes_recursive",
          "io_serviced_recursive",
          "io_queued_recursive",
          "io_service_time_recursive",
          "io_wait_time_recursive",
          "io_merged_recursive",
          "time_recursive",
          "sectors_recursive");

  /** Nanoseconds in one tick of {@code cpuacct.stat}: USER_HZ is 100 on every Linux. */
  private static final long TICK = 10_000_000L;

  /** Copies the map. */
  public CgroupV1 {
    folders = Map.copyOf(folders);
  }

  /** A limit with what counts against it; absent where the kernel does not count. */
  public record Usage(long usage, long limit, long max, long failures) {}

  /**
   * Operations on one device.
   *
   * @param device its name; empty where unknown
   * @param operation such as {@code Read}; empty for a plain sum
   */
  public record BlockOperations(
      String device, long major, long minor, String operation, long value) {}

  /** Huge pages of one size. */
  public record HugePages(String size, long usage, long max, long failures) {}

  /**
   * Everything counted, in the kernel's units (times in nanoseconds).
   *
   * @param memory entries of {@code memory.stat} by their names
   * @param memoryUsage by kind: {@code memory}, {@code memsw}, {@code kmem}, {@code kmem.tcp}
   * @param oom entries of {@code memory.oom_control}
   * @param blockOperations by the name of their file without {@code blkio.}
   */
  public record Metrics(
      OptionalLong pids,
      OptionalLong pidsLimit,
      long cpuTotal,
      long cpuUser,
      long cpuKernel,
      List<Long> cpuEach,
      Map<String, Long> throttling,
      Map<String, Long> memory,
      Map<String, Usage> memoryUsage,
      Map<String, Long> oom,
      Map<String, List<BlockOperations>> blockOperations,
      List<HugePages> hugePages) {}

  /** The folder of a controller. */
  public Optional<Path> folder(String controller) {
    return Optional.ofNullable(folders.get(controller));
  }

  @Override
  public List<Integer> processes() throws IOException {
    for (String controller : FOR_PROCESSES) {
      Path folder = folders.get(controller);
      if (folder != null && Files.isDirectory(folder)) {
        return ContainerCgroup.processesBelow(folder);
      }
    }
    return List.of();
  }

  @Override
  public boolean exists() {
    return FOR_PROCESSES.stream()
        .map(folders::get)
        .anyMatch(folder -> folder != null && Files.isDirectory(folder));
  }

  /** Reads all counters. */
  public Metrics metrics() throws IOException {
    Path none = Path.of("/nonexistent");
    Path cpuacct = folders.getOrDefault("cpuacct", none);
    Path cpu = folders.getOrDefault("cpu", none);
    Path memory = folders.getOrDefault("memory", none);
    Path pids = folders.getOrDefault("pids", none);
    Map<String, Long> times = StatFiles.table(cpuacct.resolve("cpuacct.stat"));
    Map<String, Usage> usage = new LinkedHashMap<>();
    for (String kind : List.of("memory", "memsw", "kmem", "kmem.tcp")) {
      usage(memory, kind).ifPresent(found -> usage.put(kind, found));
    }
    return new Metrics(
        StatFiles.number(pids.resolve("pids.current")),
        StatFiles.number(pids.resolve("pids.max")),
        StatFiles.number(cpuacct.resolve("cpuacct.usage")).orElse(0),
        times.getOrDefault("user", 0L) * TICK,
        times.getOrDefault("system", 0L) * TICK,
        eachCpu(cpuacct),
        StatFiles.table(cpu.resolve("cpu.stat")),
        StatFiles.table(memory.resolve("memory.stat")),
        usage,
        StatFiles.table(memory.resolve("memory.oom_control")),
        blockOperations(folders.getOrDefault("blkio", none)),
        hugePages(folders.getOrDefault("hugetlb", none)));
  }

  private static Optional<Usage> usage(Path folder, String kind) throws IOException {
    String prefix = kind.equals("memory") ? "memory." : "memory." + kind + ".";
    OptionalLong now = StatFiles.number(folder.resolve(prefix + "usage_in_bytes"));
    if (now.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Usage(
            now.getAsLong(),
            StatFiles.number(folder.resolve(prefix + "limit_in_bytes")).orElse(-1),
            StatFiles.number(folder.resolve(prefix + "max_usage_in_bytes")).orElse(0),
            StatFiles.number(folder.resolve(prefix + "failcnt")).orElse(0)));
  }

  private static List<Long> eachCpu(Path folder) throws IOException {
    List<Long> each = new ArrayList<>();
    for (String line : StatFiles.lines(folder.resolve("cpuacct.usage_percpu"))) {
      for (String part : line.strip().split(" ", -1)) {
        if (!part.isEmpty()) {
          each.add(Long.parseUnsignedLong(part));
        }
      }
    }
    return each;
  }

  private static Map<String, List<BlockOperations>> blockOperations(Path folder)
      throws IOException {
    Map<String, List<BlockOperations>> all = new LinkedHashMap<>();
    for (String file : BLKIO_FILES) {
      List<BlockOperations> operations = operations(folder.resolve("blkio." + file));
      if (operations.isEmpty()) {
        // with another scheduler than CFQ or BFQ only the throttling layer counts
        operations = operations(folder.resolve("blkio.throttle." + file));
      }
      if (!operations.isEmpty()) {
        all.put(file, operations);
      }
    }
    return all;
  }

  private static List<BlockOperations> operations(Path file) throws IOException {
    List<BlockOperations> operations = new ArrayList<>();
    for (String line : StatFiles.lines(file)) {
      String[] parts = line.strip().split("\\s+", -1);
      String[] numbers = parts[0].split(":", -1);
      if (numbers.length != 2 || parts.length < 2) {
        continue; // the total
      }
      operations.add(
          new BlockOperations(
              "",
              Long.parseLong(numbers[0]),
              Long.parseLong(numbers[1]),
              parts.length > 2 ? parts[1] : "",
              StatFiles.value(parts[parts.length - 1])));
    }
    return operations;
  }

  private static List<HugePages> hugePages(Path folder) throws IOException {
    List<HugePages> pages = new ArrayList<>();
    for (String size : HugePageSizes.of(folder, "hugetlb.", ".usage_in_bytes")) {
      String prefix = "hugetlb." + size + ".";
      pages.add(
          new HugePages(
              size,
              StatFiles.number(folder.resolve(prefix + "usage_in_bytes")).orElse(0),
              StatFiles.number(folder.resolve(prefix + "max_usage_in_bytes")).orElse(0),
              StatFiles.number(folder.resolve(prefix + "failcnt")).orElse(0)));
    }
    return pages;
  }
}

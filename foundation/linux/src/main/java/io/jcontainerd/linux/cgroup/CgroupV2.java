package io.jcontainerd.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A group of version 2.
 *
 * @param folder its folder
 */
public record CgroupV2(Path folder) implements ContainerCgroup {
  /** Bytes and operations of one device. */
  public record BlockOperations(
      long major, long minor, long readBytes, long writtenBytes, long reads, long writes) {}

  /** Huge pages of one size. */
  public record HugePages(String size, long usage, long max, long failures) {}

  /** Shares of time, in percent, in which something waited; total in microseconds. */
  public record Pressure(double last10, double last60, double last300, long total) {}

  /** Pressure under which at least one task waited, and all of them. */
  public record Pressures(Pressure some, Pressure full) {}

  /**
   * Everything counted, in the kernel's units (times in microseconds).
   *
   * @param cpu entries of {@code cpu.stat} by their names
   * @param memory entries of {@code memory.stat} by their names
   * @param memoryEvents entries of {@code memory.events} by their names
   */
  public record Metrics(
      OptionalLong pids,
      OptionalLong pidsLimit,
      Map<String, Long> cpu,
      Map<String, Long> memory,
      OptionalLong memoryUsage,
      OptionalLong memoryLimit,
      OptionalLong memoryMax,
      OptionalLong swapUsage,
      OptionalLong swapLimit,
      OptionalLong swapMax,
      Map<String, Long> memoryEvents,
      List<BlockOperations> blockOperations,
      List<HugePages> hugePages,
      Optional<Pressures> cpuPressure,
      Optional<Pressures> memoryPressure,
      Optional<Pressures> ioPressure) {}

  @Override
  public List<Integer> processes() throws IOException {
    return ContainerCgroup.processesBelow(folder);
  }

  @Override
  public boolean exists() {
    return Files.isDirectory(folder);
  }

  /** How many processes of the group the kernel killed for lack of memory. */
  public long oomKills() throws IOException {
    return StatFiles.table(folder.resolve("memory.events")).getOrDefault("oom_kill", 0L);
  }

  /** Reads all counters. */
  public Metrics metrics() throws IOException {
    return new Metrics(
        StatFiles.number(folder.resolve("pids.current")),
        StatFiles.number(folder.resolve("pids.max")),
        StatFiles.table(folder.resolve("cpu.stat")),
        StatFiles.table(folder.resolve("memory.stat")),
        StatFiles.number(folder.resolve("memory.current")),
        StatFiles.number(folder.resolve("memory.max")),
        StatFiles.number(folder.resolve("memory.peak")),
        StatFiles.number(folder.resolve("memory.swap.current")),
        StatFiles.number(folder.resolve("memory.swap.max")),
        StatFiles.number(folder.resolve("memory.swap.peak")),
        StatFiles.table(folder.resolve("memory.events")),
        blockOperations(),
        hugePages(),
        pressures("cpu.pressure"),
        pressures("memory.pressure"),
        pressures("io.pressure"));
  }

  private List<BlockOperations> blockOperations() throws IOException {
    List<BlockOperations> operations = new ArrayList<>();
    for (String line : StatFiles.lines(folder.resolve("io.stat"))) {
      String[] parts = line.strip().split(" ", -1);
      String[] numbers = parts[0].split(":", -1);
      if (numbers.length != 2) {
        continue;
      }
      Map<String, Long> values = assignments(parts);
      operations.add(
          new BlockOperations(
              Long.parseLong(numbers[0]),
              Long.parseLong(numbers[1]),
              values.getOrDefault("rbytes", 0L),
              values.getOrDefault("wbytes", 0L),
              values.getOrDefault("rios", 0L),
              values.getOrDefault("wios", 0L)));
    }
    return operations;
  }

  private static Map<String, Long> assignments(String[] parts) {
    Map<String, Long> values = new HashMap<>();
    for (String part : parts) {
      int equals = part.indexOf('=');
      if (equals > 0) {
        values.put(part.substring(0, equals), StatFiles.value(part.substring(equals + 1)));
      }
    }
    return values;
  }

  private List<HugePages> hugePages() throws IOException {
    List<HugePages> pages = new ArrayList<>();
    for (String size : HugePageSizes.of(folder, "hugetlb.", ".current")) {
      String prefix = "hugetlb." + size + ".";
      pages.add(
          new HugePages(
              size,
              StatFiles.number(folder.resolve(prefix + "current")).orElse(0),
              StatFiles.number(folder.resolve(prefix + "max")).orElse(-1),
              StatFiles.table(folder.resolve(prefix + "events")).getOrDefault("max", 0L)));
    }
    return pages;
  }

  private Optional<Pressures> pressures(String file) throws IOException {
    List<String> lines = StatFiles.lines(folder.resolve(file));
    if (lines.isEmpty()) {
      return Optional.empty();
    }
    Map<String, Pressure> found = new HashMap<>();
    for (String line : lines) {
      String[] parts = line.strip().split(" ", -1);
      Map<String, String> values = new HashMap<>();
      for (String part : parts) {
        int equals = part.indexOf('=');
        if (equals > 0) {
          values.put(part.substring(0, equals), part.substring(equals + 1));
        }
      }
      found.put(
          parts[0],
          new Pressure(
              Double.parseDouble(values.getOrDefault("avg10", "0")),
              Double.parseDouble(values.getOrDefault("avg60", "0")),
              Double.parseDouble(values.getOrDefault("avg300", "0")),
              Long.parseLong(values.getOrDefault("total", "0"))));
    }
    Pressure none = new Pressure(0, 0, 0, 0);
    return Optional.of(
        new Pressures(found.getOrDefault("some", none), found.getOrDefault("full", none)));
  }
}

package io.jcontainerd.daemon.metrics;

import io.jcontainerd.daemon.metrics.Exposition.Label;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The process itself, under the names that Prometheus' libraries agree on, and its virtual machine.
 * From {@code /proc/self}, see proc_pid_stat(5), proc_pid_status(5) and proc_pid_limits(5).
 */
final class ProcessMetrics {
  private static final Path SELF = Path.of("/proc/self");

  /** {@code sysconf(_SC_CLK_TCK)} on every architecture that Java runs on. */
  private static final double TICKS = 100;

  private ProcessMetrics() {}

  static void write(Exposition out) throws IOException {
    String stat = Files.readString(SELF.resolve("stat"));
    // the name of the program, in parentheses, may have blanks; what follows counts from field 3
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    double cpu = (number(fields, 14) + number(fields, 15)) / TICKS;
    out.single(
            "process_cpu_seconds_total",
            Exposition.Type.COUNTER,
            "Total user and system CPU time spent in seconds.",
            cpu)
        .single(
            "process_virtual_memory_bytes",
            Exposition.Type.GAUGE,
            "Virtual memory size in bytes.",
            status("VmSize:"))
        .single(
            "process_resident_memory_bytes",
            Exposition.Type.GAUGE,
            "Resident memory size in bytes.",
            status("VmRSS:"))
        .single(
            "process_start_time_seconds",
            Exposition.Type.GAUGE,
            "Start time of the process since unix epoch in seconds.",
            ManagementFactory.getRuntimeMXBean().getStartTime() / 1e3);
    try (Stream<Path> open = Files.list(SELF.resolve("fd"))) {
      out.single(
          "process_open_fds",
          Exposition.Type.GAUGE,
          "Number of open file descriptors.",
          open.count() - 1);
    }
    out.single(
        "process_max_fds",
        Exposition.Type.GAUGE,
        "Maximum number of open file descriptors.",
        maxFiles());
    virtualMachine(out);
  }

  private static double number(String[] fields, int field) {
    return Double.parseDouble(fields[field - 3]);
  }

  /** A size, which is told in KiB, in bytes. */
  private static double status(String field) throws IOException {
    for (String line : Files.readAllLines(SELF.resolve("status"))) {
      if (line.startsWith(field)) {
        return Double.parseDouble(line.substring(field.length()).replace("kB", "").trim()) * 1024;
      }
    }
    throw new IOException("/proc/self/status has no " + field);
  }

  private static double maxFiles() throws IOException {
    for (String line : Files.readAllLines(SELF.resolve("limits"))) {
      if (line.startsWith("Max open files")) {
        String soft = line.substring("Max open files".length()).trim().split(" +", -1)[0];
        return soft.equals("unlimited") ? Double.POSITIVE_INFINITY : Double.parseDouble(soft);
      }
    }
    throw new IOException("/proc/self/limits has no line for open files");
  }

  private static void virtualMachine(Exposition out) {
    String memory = "jvm_memory_used_bytes";
    out.family(memory, Exposition.Type.GAUGE, "Used bytes of a given JVM memory area.");
    sample(out, memory, "heap", ManagementFactory.getMemoryMXBean().getHeapMemoryUsage());
    sample(out, memory, "nonheap", ManagementFactory.getMemoryMXBean().getNonHeapMemoryUsage());
    out.single(
        "jvm_threads_current",
        Exposition.Type.GAUGE,
        "Current thread count of a JVM.",
        ManagementFactory.getThreadMXBean().getThreadCount());
    String runs = "jvm_gc_collections_total";
    out.family(runs, Exposition.Type.COUNTER, "Collections of a given JVM garbage collector.");
    for (GarbageCollectorMXBean one : ManagementFactory.getGarbageCollectorMXBeans()) {
      out.sample(runs, List.of(new Label("gc", one.getName())), one.getCollectionCount());
    }
    String time = "jvm_gc_collection_seconds_total";
    out.family(
        time, Exposition.Type.COUNTER, "Time spent in a given JVM garbage collector in seconds.");
    for (GarbageCollectorMXBean one : ManagementFactory.getGarbageCollectorMXBeans()) {
      out.sample(time, List.of(new Label("gc", one.getName())), one.getCollectionTime() / 1e3);
    }
  }

  private static void sample(Exposition out, String name, String area, MemoryUsage usage) {
    out.sample(name, List.of(new Label("area", area)), usage.getUsed());
  }
}

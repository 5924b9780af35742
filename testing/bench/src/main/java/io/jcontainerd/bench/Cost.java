package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What the kernel counts of a process. */
final class Cost {
  private static final Path PROC = Path.of("/proc");
  private static final double KIB_A_MEGABYTE = 1024;

  /** Where the four times are that a process and its children took, behind its name. */
  private static final int USER = 11;

  private static final int CHILDREN = 13;

  private final double ticksPerSecond;

  Cost() throws IOException, InterruptedException {
    ticksPerSecond = Double.parseDouble(Commands.run(List.of("getconf", "CLK_TCK")).strip());
  }

  /** The CPU seconds of a process and of those of its children that have ended. */
  double cpu(long pid) throws IOException {
    return seconds(PROC.resolve(pid + "/stat"), USER, CHILDREN + 2);
  }

  /** The CPU seconds of this process's children that have ended. */
  double ofChildren() throws IOException {
    return seconds(PROC.resolve("self/stat"), CHILDREN, CHILDREN + 2);
  }

  /** The part of {@link #cpu} that the kernel took on behalf of them. */
  double kernel(long pid) throws IOException {
    String stat = Files.readString(PROC.resolve(pid + "/stat"));
    return seconds(stat, USER + 1, CHILDREN) + seconds(stat, CHILDREN + 1, CHILDREN + 2);
  }

  /** The part of {@link #ofChildren} that the kernel took on behalf of them. */
  double kernelOfChildren() throws IOException {
    return seconds(PROC.resolve("self/stat"), CHILDREN + 1, CHILDREN + 2);
  }

  /** The CPU seconds of one thread or process, as its file {@code stat} has them. */
  double alone(String stat) {
    return seconds(stat, USER, CHILDREN);
  }

  private double seconds(Path stat, int from, int to) throws IOException {
    return seconds(Files.readString(stat), from, to);
  }

  private double seconds(String stat, int from, int to) {
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    long ticks = 0;
    for (int i = from; i < to; i++) {
      ticks += Long.parseLong(fields[i]);
    }
    return ticks / ticksPerSecond;
  }

  /** Lets the kernel forget how much memory a process once had. */
  static void forgetPeak(long pid) throws IOException {
    Files.writeString(PROC.resolve(pid + "/clear_refs"), "5");
  }

  /** The most memory that a process had since, in MiB. */
  static double peak(long pid) throws IOException {
    return Memory.peak(pid) / KIB_A_MEGABYTE;
  }
}

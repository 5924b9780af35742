package io.jcontainerd.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What processes hold of the machine's memory. */
final class Memory {
  private static final Path PROC = Path.of("/proc");

  private Memory() {}

  /** The processes whose command line has {@code mark} in one of its words. */
  static List<Long> processes(String mark) throws IOException {
    var found = new ArrayList<Long>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[0-9]*")) {
      for (Path entry : entries) {
        long pid = Long.parseLong(entry.getFileName().toString());
        if (commandLine(pid).contains(mark) && pid != ProcessHandle.current().pid()) {
          found.add(pid);
        }
      }
    }
    return found;
  }

  private static String commandLine(long pid) throws IOException {
    try {
      byte[] bytes = Files.readAllBytes(PROC.resolve(pid + "/cmdline"));
      return new String(bytes, StandardCharsets.UTF_8).replace('\0', ' ');
    } catch (NoSuchFileException e) {
      return ""; // it ended
    } catch (IOException e) {
      if (Files.exists(PROC.resolve(Long.toString(pid)))) {
        throw e;
      }
      return "";
    }
  }

  /** The sum of what the processes hold, each shared page divided among its users, in KiB. */
  static long proportional(List<Long> pids) throws IOException {
    long sum = 0;
    for (long pid : pids) {
      sum += field(pid, "smaps_rollup", "Pss:");
    }
    return sum;
  }

  /** What one process has in memory, in KiB. */
  static long resident(long pid) throws IOException {
    return field(pid, "status", "VmRSS:");
  }

  /** The most that one process had in memory since that was last forgotten, in KiB. */
  static long peak(long pid) throws IOException {
    return field(pid, "status", "VmHWM:");
  }

  private static long field(long pid, String file, String name) throws IOException {
    for (String line : Files.readAllLines(PROC.resolve(pid + "/" + file))) {
      if (line.startsWith(name)) {
        return Long.parseLong(line.substring(name.length()).replace("kB", "").strip());
      }
    }
    throw new IOException("no " + name + " of process " + pid);
  }
}

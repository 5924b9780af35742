package io.jcontainerd.endure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Processes of this machine. */
final class Processes {
  private Processes() {}

  /** All arguments; {@link ProcessHandle#info} keeps the first page only. Empty if it has ended. */
  static String commandLine(long pid) {
    return read(pid, "cmdline");
  }

  /** The lines of its control groups. Empty if it has ended. */
  static String cgroups(long pid) {
    return read(pid, "cgroup");
  }

  /** Its state and name, which is that of the program. Empty if it has ended. */
  static String title(long pid) {
    String stat = read(pid, "stat");
    int end = stat.lastIndexOf(')');
    return end < 0
        ? ""
        : stat.substring(stat.indexOf('(') + 1, end) + (stat.charAt(end + 2) == 'Z' ? " dead" : "");
  }

  /** The shim hosts of a daemon, by its folder of sockets. */
  static List<Long> hosts(Path run) {
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(
            pid -> {
              String line = commandLine(pid);
              return line.contains("io.jcontainerd.shim.ShimHost") && line.contains(run + "/");
            })
        .toList();
  }

  private static String read(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc/" + pid).resolve(file), StandardCharsets.ISO_8859_1);
    } catch (IOException _) {
      return "";
    }
  }
}

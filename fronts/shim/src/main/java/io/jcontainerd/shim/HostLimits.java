package io.jcontainerd.shim;

import io.jcontainerd.oci.runtime.Rlimit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * What this process may give to a container: without CAP_SYS_RESOURCE a hard limit cannot be raised
 * above its own and the bias of the out-of-memory killer cannot go below its own.
 *
 * @param unlimited whether the process has CAP_SYS_RESOURCE
 * @param oomScoreAdj its own bias
 * @param hardLimits its own hard limits by OCI name; -1 (all ones) for none
 */
record HostLimits(boolean unlimited, int oomScoreAdj, Map<String, Long> hardLimits) {
  private static final int CAP_SYS_RESOURCE = 24;
  private static final long INFINITE = -1;
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("Max cpu time", "RLIMIT_CPU"),
          Map.entry("Max file size", "RLIMIT_FSIZE"),
          Map.entry("Max data size", "RLIMIT_DATA"),
          Map.entry("Max stack size", "RLIMIT_STACK"),
          Map.entry("Max core file size", "RLIMIT_CORE"),
          Map.entry("Max resident set", "RLIMIT_RSS"),
          Map.entry("Max processes", "RLIMIT_NPROC"),
          Map.entry("Max open files", "RLIMIT_NOFILE"),
          Map.entry("Max locked memory", "RLIMIT_MEMLOCK"),
          Map.entry("Max address space", "RLIMIT_AS"),
          Map.entry("Max file locks", "RLIMIT_LOCKS"),
          Map.entry("Max pending signals", "RLIMIT_SIGPENDING"),
          Map.entry("Max msgqueue size", "RLIMIT_MSGQUEUE"),
          Map.entry("Max nice priority", "RLIMIT_NICE"),
          Map.entry("Max realtime priority", "RLIMIT_RTPRIO"),
          Map.entry("Max realtime timeout", "RLIMIT_RTTIME"));

  HostLimits {
    hardLimits = Map.copyOf(hardLimits);
  }

  /**
   * Those of this process. Formats: {@code /proc/PID/status}, {@code /proc/PID/limits}, proc(5).
   */
  static HostLimits read() throws IOException {
    Path self = Path.of("/proc/self");
    boolean unlimited = false;
    for (String line : Files.readAllLines(self.resolve("status"))) {
      if (line.startsWith("CapEff:")) {
        long bits = Long.parseUnsignedLong(line.substring("CapEff:".length()).strip(), 16);
        unlimited = (bits >>> CAP_SYS_RESOURCE & 1) != 0;
      }
    }
    int bias = Integer.parseInt(Files.readString(self.resolve("oom_score_adj")).strip());
    Map<String, Long> limits = new HashMap<>();
    for (String line : Files.readAllLines(self.resolve("limits"))) {
      NAMES.forEach(
          (title, name) -> {
            if (line.startsWith(title + " ")) {
              String[] columns = line.substring(title.length()).strip().split("\\s+", -1);
              limits.put(
                  name,
                  columns[1].toLowerCase(Locale.ROOT).equals("unlimited")
                      ? INFINITE
                      : Long.parseLong(columns[1]));
            }
          });
    }
    return new HostLimits(unlimited, bias, limits);
  }

  /** The nearest bias that can be given. */
  long clampOomScoreAdj(long wanted) {
    return unlimited ? wanted : Math.max(wanted, oomScoreAdj);
  }

  /** The nearest limit that can be given. */
  Rlimit clamp(Rlimit wanted) {
    long own = hardLimits.getOrDefault(wanted.type(), INFINITE);
    if (unlimited || own == INFINITE) {
      return wanted;
    }
    return new Rlimit(wanted.type(), smaller(wanted.soft(), own), smaller(wanted.hard(), own));
  }

  private static long smaller(long wanted, long own) {
    return Long.compareUnsigned(wanted, own) > 0 ? own : wanted;
  }
}

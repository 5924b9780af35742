package io.jcontainerd.runtime.shim;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How readily the kernel kills a shim for lack of memory: a bit more readily than this daemon, and
 * with it what the shim starts without a score of its own.
 */
public final class OomScore {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int HIGHEST = 1000;

  private OomScore() {}

  /** Gives a shim its score; that it cannot be given is logged. */
  public static void give(int pid) {
    try {
      int own = Integer.parseInt(Files.readString(file("self")).strip());
      Files.writeString(file(Integer.toString(pid)), Integer.toString(Math.min(HIGHEST, own + 1)));
    } catch (IOException e) {
      LOG.log(Level.WARNING, "score of the shim's process " + pid, e);
    }
  }

  private static Path file(String process) {
    return Path.of("/proc", process, "oom_score_adj");
  }
}

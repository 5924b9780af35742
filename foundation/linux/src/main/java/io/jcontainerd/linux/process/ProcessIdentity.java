package io.jcontainerd.linux.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A process that cannot be mistaken for a later one with the same number, within one boot.
 *
 * @param pid its number
 * @param startTicks when it started, in clock ticks since boot
 */
public record ProcessIdentity(int pid, long startTicks) {
  /** Index of {@code starttime} counted from the state letter, which follows the name. */
  private static final int START_TIME = 19;

  /** Who has that number now: empty if nobody. Format: {@code /proc/PID/stat}, see proc(5). */
  public static Optional<ProcessIdentity> of(int pid) throws IOException {
    return stat(pid).map(fields -> new ProcessIdentity(pid, Long.parseLong(fields[START_TIME])));
  }

  /** Whether that very process still has its number and is not a zombie. */
  public boolean isRunning() throws IOException {
    Optional<String[]> fields = stat(pid);
    return fields.isPresent()
        && Long.parseLong(fields.get()[START_TIME]) == startTicks
        && !fields.get()[0].equals("Z")
        && !fields.get()[0].equals("X");
  }

  /** The fields after the name, beginning with the state. */
  private static Optional<String[]> stat(int pid) throws IOException {
    String line;
    try {
      line = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      if (!Files.exists(Path.of("/proc/" + pid))) {
        return Optional.empty(); // it ended between open and read: ESRCH
      }
      throw e;
    }
    return Optional.of(line.substring(line.lastIndexOf(')') + 2).split(" "));
  }
}

package io.jcontainerd.linux.process;

import java.time.Instant;

/**
 * How and when a process ended.
 *
 * @param code its exit code, or 128 and the number of the signal that ended it; 0 to 255
 * @param at when the end was seen
 */
public record ExitStatus(int code, Instant at) {
  /** What is reported when nobody can tell the code any more. */
  public static final int UNKNOWN = 255;

  private static final int SIGNAL_BASE = 128;

  /** Refuses codes that no process can have. */
  public ExitStatus {
    if (code < 0 || code > 255) {
      throw new IllegalArgumentException("not an exit code: " + code);
    }
  }

  /** From the raw status word of wait(2). */
  static ExitStatus ofWaitStatus(int status, Instant at) {
    int signal = status & 0x7f;
    return new ExitStatus(signal == 0 ? (status >> 8) & 0xff : SIGNAL_BASE + signal, at);
  }

  /** From what waitid(2) tells apart. */
  static ExitStatus ofChild(boolean exited, int status, Instant at) {
    return new ExitStatus(exited ? status & 0xff : SIGNAL_BASE + (status & 0x7f), at);
  }

  /** Whether the process ended by itself and was content. */
  public boolean success() {
    return code == 0;
  }
}

package io.jcontainerd.linux.process;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.ProcessCalls;

/** Signal numbers (the same on x86-64 and AArch64) and sending by number. */
public final class Signals {
  public static final int HUP = 1;
  public static final int INT = 2;
  public static final int KILL = 9;
  public static final int TERM = 15;

  private Signals() {}

  /**
   * Sends a signal to whoever has that number now. For a process that may have ended, a {@link
   * Child} is the safe way.
   *
   * @param signal 0 only asks whether the process exists
   * @return whether there is such a process
   */
  public static boolean send(int pid, int signal) throws ErrnoException {
    try {
      ProcessCalls.kill(pid, signal);
      return true;
    } catch (ErrnoException e) {
      if (e.is(Errno.ESRCH)) {
        return false;
      }
      throw e;
    }
  }
}

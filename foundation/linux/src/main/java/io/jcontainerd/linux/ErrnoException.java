package io.jcontainerd.linux;

import java.io.IOException;

/**
 * A call into the kernel that failed: which call, on what, and with which error number.
 *
 * <p>The number belongs to that very call: it was captured before anything else ran on the thread.
 */
public final class ErrnoException extends IOException {
  private final String call;
  private final String subject;
  private final int errno;

  /**
   * @param call the C name of the call
   * @param subject what the call was about (a path, a pid, a descriptor); empty if nothing
   * @param errno the kernel's error number
   */
  public ErrnoException(String call, String subject, int errno) {
    super(
        (subject.isEmpty() ? call : call + " " + subject)
            + ": "
            + Errno.text(errno)
            + " ("
            + Errno.name(errno)
            + ")");
    this.call = call;
    this.subject = subject;
    this.errno = errno;
  }

  /** The C name of the call. */
  public String call() {
    return call;
  }

  /** What the call was about; empty if nothing in particular. */
  public String subject() {
    return subject;
  }

  /** The kernel's error number. */
  public int errno() {
    return errno;
  }

  /** The C name of the error number. */
  public String errnoName() {
    return Errno.name(errno);
  }

  /** Whether the error is one of the given numbers. */
  public boolean is(int... numbers) {
    for (int number : numbers) {
      if (number == errno) {
        return true;
      }
    }
    return false;
  }
}

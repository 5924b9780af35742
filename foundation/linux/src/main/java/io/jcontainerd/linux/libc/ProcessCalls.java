package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Signals, waiting, pidfds and process attributes. */
public final class ProcessCalls {
  public static final int P_ALL = 0;
  public static final int P_PID = 1;
  public static final int P_PIDFD = 3;
  public static final int WNOHANG = 1;
  public static final int WEXITED = 4;
  public static final int WNOWAIT = 0x01000000;

  public static final int CLD_EXITED = 1;

  public static final int PR_SET_CHILD_SUBREAPER = 36;
  public static final int PR_GET_CHILD_SUBREAPER = 37;

  /** Numbers from 424 on are the same on every architecture. */
  private static final long SYS_PIDFD_SEND_SIGNAL = 424;

  private static final long SYS_PIDFD_OPEN = 434;

  /** {@code _IOWR(0xFF, 11, struct pidfd_info)} with the first published size of 64 bytes. */
  private static final long PIDFD_GET_INFO = 0xC040FF0BL;

  private static final long PIDFD_INFO_SIZE = 64;
  private static final long PIDFD_INFO_EXIT = 1L << 3;
  private static final long PIDFD_INFO_EXIT_CODE_OFFSET = 60;

  private static final long SIGINFO_SIZE = 128;
  private static final long SI_CODE_OFFSET = 8;
  private static final long SI_PID_OFFSET = 16;
  private static final long SI_STATUS_OFFSET = 24;

  private static final CFunction KILL = new CFunction("kill");
  private static final CFunction WAITID = new CFunction("waitid");
  private static final CFunction PRCTL = new CFunction("prctl");
  private static final CFunction SYSCALL = new CFunction("syscall");
  private static final CFunction IOCTL = new CFunction("ioctl");

  private ProcessCalls() {}

  /**
   * What waitid(2) tells of a child.
   *
   * @param pid the child
   * @param code how it ended, one of the CLD_ values
   * @param status its exit code or the signal that ended it
   */
  public record Siginfo(int pid, int code, int status) {}

  /** kill(2). */
  public static void kill(int pid, int signal) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = KILL.call(capture, pid, signal);
      Libc.check(rc, "kill", "pid " + pid, capture);
    }
  }

  /** waitid(2); a pid of 0 in the answer means that, with WNOHANG, no child was ready. */
  public static Siginfo waitid(int idType, int id, int options) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment info = arena.allocate(SIGINFO_SIZE, 8);
      while (true) {
        int rc = WAITID.call(capture, idType, id, at(info), options);
        if (rc < 0 && Libc.errno(capture) == Errno.EINTR) {
          continue;
        }
        Libc.check(rc, "waitid", "id " + id, capture);
        return new Siginfo(
            info.get(JAVA_INT, SI_PID_OFFSET),
            info.get(JAVA_INT, SI_CODE_OFFSET),
            info.get(JAVA_INT, SI_STATUS_OFFSET));
      }
    }
  }

  /** prctl(2) with one argument. */
  public static void prctl(int option, long argument) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = PRCTL.call(capture, option, argument, 0, 0, 0);
      Libc.check(rc, "prctl", "option " + option, capture);
    }
  }

  /** prctl(2) for options that store an int where the argument points. */
  public static int prctlRead(int option) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment value = arena.allocate(JAVA_INT);
      int rc = PRCTL.call(capture, option, value.address(), 0, 0, 0);
      Libc.check(rc, "prctl", "option " + option, capture);
      return value.get(JAVA_INT, 0);
    }
  }

  /** pidfd_open(2); the descriptor is close-on-exec. */
  public static int pidfd_open(int pid) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = SYSCALL.call(capture, SYS_PIDFD_OPEN, pid, 0, 0, 0);
      return (int) Libc.check(rc, "pidfd_open", "pid " + pid, capture);
    }
  }

  /** pidfd_send_signal(2). */
  public static void pidfd_send_signal(int pidfd, int signal) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = SYSCALL.call(capture, SYS_PIDFD_SEND_SIGNAL, pidfd, signal, 0, 0);
      Libc.check(rc, "pidfd_send_signal", "pidfd " + pidfd, capture);
    }
  }

  /**
   * The wait status that the kernel keeps for a reaped process behind a pidfd (Linux 6.15 and
   * later): the raw status word, or -1 when the kernel has none to give yet.
   */
  public static int pidfdExitCode(int pidfd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment info = arena.allocate(PIDFD_INFO_SIZE, 8);
      info.set(JAVA_LONG, 0, PIDFD_INFO_EXIT);
      int rc = IOCTL.call(capture, pidfd, PIDFD_GET_INFO, at(info));
      Libc.check(rc, "ioctl PIDFD_GET_INFO", "pidfd " + pidfd, capture);
      if ((info.get(JAVA_LONG, 0) & PIDFD_INFO_EXIT) == 0) {
        return -1;
      }
      return info.get(JAVA_INT, PIDFD_INFO_EXIT_CODE_OFFSET);
    }
  }
}

package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Pseudo-terminals and their window size. */
public final class TerminalCalls {
  private static final long TIOCGWINSZ = 0x5413;
  private static final long TIOCSWINSZ = 0x5414;
  private static final long WINSIZE_SIZE = 8;

  private static final CFunction OPENPTY = new CFunction("openpty");
  private static final CFunction IOCTL = new CFunction("ioctl");

  private TerminalCalls() {}

  /** openpty(3): element 0 is the master, element 1 the slave; neither is close-on-exec. */
  public static int[] openpty() throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment master = arena.allocate(JAVA_INT);
      MemorySegment slave = arena.allocate(JAVA_INT);
      int rc = OPENPTY.call(capture, at(master), at(slave), 0, 0, 0);
      Libc.check(rc, "openpty", "", capture);
      return new int[] {master.get(JAVA_INT, 0), slave.get(JAVA_INT, 0)};
    }
  }

  /** ioctl(TIOCSWINSZ). */
  public static void setWindowSize(int fd, int columns, int rows) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment size = arena.allocate(WINSIZE_SIZE, 8);
      size.setAtIndex(JAVA_SHORT, 0, (short) rows);
      size.setAtIndex(JAVA_SHORT, 1, (short) columns);
      int rc = IOCTL.call(capture, fd, TIOCSWINSZ, at(size));
      Libc.check(rc, "ioctl TIOCSWINSZ", "fd " + fd, capture);
    }
  }

  /** ioctl(TIOCGWINSZ): columns and rows. */
  public static int[] windowSize(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment size = arena.allocate(WINSIZE_SIZE, 8);
      int rc = IOCTL.call(capture, fd, TIOCGWINSZ, at(size));
      Libc.check(rc, "ioctl TIOCGWINSZ", "fd " + fd, capture);
      return new int[] {
        Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, 1)),
        Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, 0))
      };
    }
  }
}

package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/** Pseudo-terminals and their window size. */
public final class TerminalCalls {
  private static final long TIOCGWINSZ = 0x5413;
  private static final long TIOCSWINSZ = 0x5414;
  private static final long WINSIZE_SIZE = 8;

  private static final CFunction OPENPTY =
      Libc.bind(
          "openpty", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));
  private static final CFunction IOCTL =
      Libc.bindVariadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));

  private TerminalCalls() {}

  /** openpty(3): element 0 is the master, element 1 the slave; neither is close-on-exec. */
  public static int[] openpty() throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment master = arena.allocate(JAVA_INT);
      MemorySegment slave = arena.allocate(JAVA_INT);
      int rc =
          (int)
              OPENPTY
                  .handle()
                  .invokeExact(
                      capture,
                      master,
                      slave,
                      MemorySegment.NULL,
                      MemorySegment.NULL,
                      MemorySegment.NULL);
      Libc.check(rc, "openpty", "", capture);
      return new int[] {master.get(JAVA_INT, 0), slave.get(JAVA_INT, 0)};
    } catch (Throwable t) {
      throw Libc.failure("openpty", t);
    }
  }

  /** ioctl(TIOCSWINSZ). */
  public static void setWindowSize(int fd, int columns, int rows) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment size = arena.allocate(WINSIZE_SIZE, 8);
      size.setAtIndex(JAVA_SHORT, 0, (short) rows);
      size.setAtIndex(JAVA_SHORT, 1, (short) columns);
      int rc = (int) IOCTL.handle().invokeExact(capture, fd, TIOCSWINSZ, size);
      Libc.check(rc, "ioctl TIOCSWINSZ", "fd " + fd, capture);
    } catch (Throwable t) {
      throw Libc.failure("ioctl TIOCSWINSZ", t);
    }
  }

  /** ioctl(TIOCGWINSZ): columns and rows. */
  public static int[] windowSize(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment size = arena.allocate(WINSIZE_SIZE, 8);
      int rc = (int) IOCTL.handle().invokeExact(capture, fd, TIOCGWINSZ, size);
      Libc.check(rc, "ioctl TIOCGWINSZ", "fd " + fd, capture);
      return new int[] {
        Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, 1)),
        Short.toUnsignedInt(size.getAtIndex(JAVA_SHORT, 0))
      };
    } catch (Throwable t) {
      throw Libc.failure("ioctl TIOCGWINSZ", t);
    }
  }
}

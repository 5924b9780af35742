package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/** Pipes, FIFOs, event counters and nameless files. */
public final class PipeCalls {
  private static final CFunction PIPE2 =
      Libc.bind("pipe2", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final CFunction MKFIFO =
      Libc.bind("mkfifo", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final CFunction EVENTFD =
      Libc.bind("eventfd", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private static final CFunction MEMFD_CREATE =
      Libc.bind("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final CFunction PREAD =
      Libc.bind("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));

  private PipeCalls() {}

  /** pipe2(2): element 0 is the reading end, element 1 the writing end. */
  public static int[] pipe2(int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      int rc = (int) PIPE2.handle().invokeExact(capture, ends, flags);
      Libc.check(rc, "pipe2", "", capture);
      return ends.toArray(JAVA_INT);
    } catch (Throwable t) {
      throw Libc.failure("pipe2", t);
    }
  }

  /** mkfifo(3). */
  public static void mkfifo(String path, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) MKFIFO.handle().invokeExact(capture, arena.allocateFrom(path), mode);
      Libc.check(rc, "mkfifo", path, capture);
    } catch (Throwable t) {
      throw Libc.failure("mkfifo", t);
    }
  }

  /** eventfd(2). */
  public static int eventfd(int initial, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) EVENTFD.handle().invokeExact(capture, initial, flags);
      return Libc.check(rc, "eventfd", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("eventfd", t);
    }
  }

  /** memfd_create(2). */
  public static int memfd_create(String name, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) MEMFD_CREATE.handle().invokeExact(capture, arena.allocateFrom(name), flags);
      return Libc.check(rc, "memfd_create", name, capture);
    } catch (Throwable t) {
      throw Libc.failure("memfd_create", t);
    }
  }

  /** pread(2) into native memory. */
  public static long pread(int fd, MemorySegment buffer, long count, long offset)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = (long) PREAD.handle().invokeExact(capture, fd, buffer, count, offset);
      return Libc.check(rc, "pread", "fd " + fd, capture);
    } catch (Throwable t) {
      throw Libc.failure("pread", t);
    }
  }
}

package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Pipes, FIFOs, event counters and nameless files. */
public final class PipeCalls {
  private static final CFunction PIPE2 = new CFunction("pipe2");
  private static final CFunction MKFIFO = new CFunction("mkfifo");
  private static final CFunction EVENTFD = new CFunction("eventfd");
  private static final CFunction MEMFD_CREATE = new CFunction("memfd_create");
  private static final CFunction PREAD = new CFunction("pread");

  private PipeCalls() {}

  /** pipe2(2): element 0 is the reading end, element 1 the writing end. */
  public static int[] pipe2(int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      int rc = PIPE2.call(capture, at(ends), flags);
      Libc.check(rc, "pipe2", "", capture);
      return ends.toArray(JAVA_INT);
    }
  }

  /** mkfifo(3). */
  public static void mkfifo(String path, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = MKFIFO.call(capture, at(arena.allocateFrom(path)), mode);
      Libc.check(rc, "mkfifo", path, capture);
    }
  }

  /** eventfd(2). */
  public static int eventfd(int initial, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = EVENTFD.call(capture, initial, flags);
      return Libc.check(rc, "eventfd", "", capture);
    }
  }

  /** memfd_create(2). */
  public static int memfd_create(String name, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = MEMFD_CREATE.call(capture, at(arena.allocateFrom(name)), flags);
      return Libc.check(rc, "memfd_create", name, capture);
    }
  }

  /** pread(2) into native memory. */
  public static long pread(int fd, MemorySegment buffer, long count, long offset)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = PREAD.callLong(capture, fd, at(buffer), count, offset);
      return Libc.check(rc, "pread", "fd " + fd, capture);
    }
  }
}

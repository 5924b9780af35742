package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Opening, duplicating, reading, writing and closing of file descriptors, and what makes them. */
public final class DescriptorCalls {
  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 1;
  public static final int O_RDWR = 2;
  public static final int O_CREAT = 0100;
  public static final int O_EXCL = 0200;
  public static final int O_NOCTTY = 0400;
  public static final int O_TRUNC = 01000;
  public static final int O_APPEND = 02000;
  public static final int O_NONBLOCK = 04000;
  public static final int O_CLOEXEC = 02000000;

  public static final int F_GETFD = 1;
  public static final int F_SETFD = 2;
  public static final int F_GETFL = 3;
  public static final int F_SETFL = 4;
  public static final int F_DUPFD_CLOEXEC = 1030;
  public static final int F_ADD_SEALS = 1033;
  public static final int F_GET_SEALS = 1034;

  public static final int F_SEAL_SEAL = 1;
  public static final int F_SEAL_SHRINK = 2;
  public static final int F_SEAL_GROW = 4;
  public static final int F_SEAL_WRITE = 8;

  public static final int MFD_CLOEXEC = 1;
  public static final int MFD_ALLOW_SEALING = 2;
  public static final int MFD_EXEC = 16;
  public static final int EFD_CLOEXEC = O_CLOEXEC;
  public static final int EFD_NONBLOCK = O_NONBLOCK;

  private static final CFunction OPEN = new CFunction("open");
  private static final CFunction CLOSE = new CFunction("close");
  private static final CFunction READ = new CFunction("read");
  private static final CFunction WRITE = new CFunction("write");
  private static final CFunction FCNTL = new CFunction("fcntl");

  private DescriptorCalls() {}

  /** open(2). */
  public static int open(String path, int flags, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = OPEN.call(capture, at(arena.allocateFrom(path)), flags, mode);
      return Libc.check(rc, "open", path, capture);
    }
  }

  /** close(2); the number is free again even if this fails. */
  public static void close(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = CLOSE.call(capture, fd);
      Libc.check(rc, "close", "fd " + fd, capture);
    }
  }

  /** read(2) into native memory. */
  public static long read(int fd, MemorySegment buffer, long count) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = READ.callLong(capture, fd, at(buffer), count);
      return Libc.check(rc, "read", "fd " + fd, capture);
    }
  }

  /** write(2) from native memory. */
  public static long write(int fd, MemorySegment buffer, long count) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = WRITE.callLong(capture, fd, at(buffer), count);
      return Libc.check(rc, "write", "fd " + fd, capture);
    }
  }

  /** fcntl(2) with an int argument. */
  public static int fcntl(int fd, int command, int argument) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = FCNTL.call(capture, fd, command, argument);
      return Libc.check(rc, "fcntl", "fd " + fd, capture);
    }
  }
}

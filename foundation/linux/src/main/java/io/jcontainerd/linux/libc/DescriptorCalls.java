package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
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

  public static final int MFD_CLOEXEC = 1;
  public static final int EFD_CLOEXEC = O_CLOEXEC;
  public static final int EFD_NONBLOCK = O_NONBLOCK;

  private static final CFunction OPEN =
      Libc.bindVariadic("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final CFunction CLOSE =
      Libc.bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final CFunction READ =
      Libc.bind("read", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final CFunction WRITE =
      Libc.bind("write", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));
  private static final CFunction FCNTL =
      Libc.bindVariadic("fcntl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));

  private DescriptorCalls() {}

  /** open(2). */
  public static int open(String path, int flags, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) OPEN.handle().invokeExact(capture, arena.allocateFrom(path), flags, mode);
      return Libc.check(rc, "open", path, capture);
    } catch (Throwable t) {
      throw Libc.failure("open", t);
    }
  }

  /** close(2); the number is free again even if this fails. */
  public static void close(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) CLOSE.handle().invokeExact(capture, fd);
      Libc.check(rc, "close", "fd " + fd, capture);
    } catch (Throwable t) {
      throw Libc.failure("close", t);
    }
  }

  /** read(2) into native memory. */
  public static long read(int fd, MemorySegment buffer, long count) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = (long) READ.handle().invokeExact(capture, fd, buffer, count);
      return Libc.check(rc, "read", "fd " + fd, capture);
    } catch (Throwable t) {
      throw Libc.failure("read", t);
    }
  }

  /** write(2) from native memory. */
  public static long write(int fd, MemorySegment buffer, long count) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = (long) WRITE.handle().invokeExact(capture, fd, buffer, count);
      return Libc.check(rc, "write", "fd " + fd, capture);
    } catch (Throwable t) {
      throw Libc.failure("write", t);
    }
  }

  /** fcntl(2) with an int argument. */
  public static int fcntl(int fd, int command, int argument) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) FCNTL.handle().invokeExact(capture, fd, command, argument);
      return Libc.check(rc, "fcntl", "fd " + fd, capture);
    } catch (Throwable t) {
      throw Libc.failure("fcntl", t);
    }
  }
}

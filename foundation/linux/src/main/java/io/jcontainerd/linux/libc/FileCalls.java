package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/** Calls on open files and on the file systems they lie in. */
public final class FileCalls {
  public static final int FALLOC_FL_KEEP_SIZE = 1;
  public static final int FALLOC_FL_PUNCH_HOLE = 2;

  public static final int SEEK_SET = 0;
  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  /** {@code _IOW(0x94, 9, int)}. */
  private static final long FICLONE = 0x40049409L;

  /** Size of {@code struct statfs} on 64-bit machines. */
  public static final long STATFS_SIZE = 120;

  private static final CFunction FTRUNCATE =
      Libc.bind("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final CFunction FALLOCATE =
      Libc.bind(
          "fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
  private static final CFunction LSEEK =
      Libc.bind("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
  private static final CFunction COPY_FILE_RANGE =
      Libc.bind(
          "copy_file_range",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final CFunction IOCTL_INT =
      Libc.bindVariadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT));
  private static final CFunction PWRITE =
      Libc.bind(
          "pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
  private static final CFunction FSYNC =
      Libc.bind("fsync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final CFunction FDATASYNC =
      Libc.bind("fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final CFunction FADVISE =
      Libc.bind(
          "posix_fadvise",
          FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final CFunction SYNCFS =
      Libc.bind("syncfs", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final CFunction FCHOWN =
      Libc.bind("fchown", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  private static final CFunction FCHMOD =
      Libc.bind("fchmod", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private static final CFunction FUTIMENS =
      Libc.bind("futimens", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  private static final CFunction STATFS =
      Libc.bind("statfs", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));

  public static final int POSIX_FADV_DONTNEED = 4;

  private FileCalls() {}

  /** ftruncate(2). */
  public static void ftruncate(int fd, long length) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(
          (int) FTRUNCATE.handle().invokeExact(capture, fd, length), "ftruncate", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("ftruncate", t);
    }
  }

  /** fallocate(2). */
  public static void fallocate(int fd, int mode, long offset, long length) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) FALLOCATE.handle().invokeExact(capture, fd, mode, offset, length);
      Libc.check(rc, "fallocate", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("fallocate", t);
    }
  }

  /** lseek(2). */
  public static long lseek(int fd, long offset, int whence) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = (long) LSEEK.handle().invokeExact(capture, fd, offset, whence);
      return Libc.check(rc, "lseek", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("lseek", t);
    }
  }

  /** copy_file_range(2) from the current offset of one file to that of another. */
  public static long copy_file_range(int from, int to, long count) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc =
          (long)
              COPY_FILE_RANGE
                  .handle()
                  .invokeExact(capture, from, MemorySegment.NULL, to, MemorySegment.NULL, count, 0);
      return Libc.check(rc, "copy_file_range", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("copy_file_range", t);
    }
  }

  /** ioctl(2) FICLONE: {@code to} shares all blocks of {@code from}. */
  public static void ficlone(int to, int from) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(
          (int) IOCTL_INT.handle().invokeExact(capture, to, FICLONE, from), "ficlone", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("ficlone", t);
    }
  }

  /** pwrite(2) from native memory. */
  public static long pwrite(int fd, MemorySegment buffer, long count, long offset)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = (long) PWRITE.handle().invokeExact(capture, fd, buffer, count, offset);
      return Libc.check(rc, "pwrite", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("pwrite", t);
    }
  }

  /** fsync(2); may block for long. */
  public static void fsync(int fd) throws ErrnoException {
    onDescriptor("fsync", FSYNC, fd);
  }

  /** fdatasync(2); may block for long. */
  public static void fdatasync(int fd) throws ErrnoException {
    onDescriptor("fdatasync", FDATASYNC, fd);
  }

  /** posix_fadvise(3), which returns its error. */
  public static void posix_fadvise(int fd, long offset, long length, int advice)
      throws ErrnoException {
    int error;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      error = (int) FADVISE.handle().invokeExact(capture, fd, offset, length, advice);
    } catch (Throwable t) {
      throw Libc.failure("posix_fadvise", t);
    }
    if (error != 0) {
      throw new ErrnoException("posix_fadvise", "", error);
    }
  }

  /** syncfs(2); may block for long. */
  public static void syncfs(int fd) throws ErrnoException {
    onDescriptor("syncfs", SYNCFS, fd);
  }

  private static void onDescriptor(String call, CFunction function, int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check((int) function.handle().invokeExact(capture, fd), call, "", capture);
    } catch (Throwable t) {
      throw Libc.failure(call, t);
    }
  }

  /** fchown(2). */
  public static void fchown(int fd, int uid, int gid) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check((int) FCHOWN.handle().invokeExact(capture, fd, uid, gid), "fchown", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("fchown", t);
    }
  }

  /** fchmod(2). */
  public static void fchmod(int fd, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check((int) FCHMOD.handle().invokeExact(capture, fd, mode), "fchmod", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("fchmod", t);
    }
  }

  /**
   * futimens(3).
   *
   * @param times access seconds and nanoseconds, then modification seconds and nanoseconds
   */
  public static void futimens(int fd, long[] times) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment spec = arena.allocateFrom(JAVA_LONG, times);
      Libc.check((int) FUTIMENS.handle().invokeExact(capture, fd, spec), "futimens", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("futimens", t);
    }
  }

  /** statfs(2), into memory of {@link #STATFS_SIZE} bytes. */
  public static void statfs(byte[] path, MemorySegment into) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) STATFS.handle().invokeExact(capture, AtCalls.cString(arena, path), into);
      Libc.check(rc, "statfs", AtCalls.shown(path), capture);
    } catch (Throwable t) {
      throw Libc.failure("statfs", t);
    }
  }
}

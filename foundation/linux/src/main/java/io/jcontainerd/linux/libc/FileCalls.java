package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
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

  private static final CFunction FTRUNCATE = new CFunction("ftruncate");
  private static final CFunction FALLOCATE = new CFunction("fallocate");
  private static final CFunction LSEEK = new CFunction("lseek");
  private static final CFunction COPY_FILE_RANGE = new CFunction("copy_file_range");
  private static final CFunction IOCTL_INT = new CFunction("ioctl");
  private static final CFunction PWRITE = new CFunction("pwrite");
  private static final CFunction FSYNC = new CFunction("fsync");
  private static final CFunction FDATASYNC = new CFunction("fdatasync");
  private static final CFunction FADVISE = new CFunction("posix_fadvise");
  private static final CFunction SYNCFS = new CFunction("syncfs");
  private static final CFunction FCHOWN = new CFunction("fchown");
  private static final CFunction FCHMOD = new CFunction("fchmod");
  private static final CFunction FUTIMENS = new CFunction("futimens");
  private static final CFunction STATFS = new CFunction("statfs");

  public static final int POSIX_FADV_DONTNEED = 4;

  private FileCalls() {}

  /** ftruncate(2). */
  public static void ftruncate(int fd, long length) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(FTRUNCATE.call(capture, fd, length), "ftruncate", "", capture);
    }
  }

  /** fallocate(2). */
  public static void fallocate(int fd, int mode, long offset, long length) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = FALLOCATE.call(capture, fd, mode, offset, length);
      Libc.check(rc, "fallocate", "", capture);
    }
  }

  /** lseek(2). */
  public static long lseek(int fd, long offset, int whence) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = LSEEK.callLong(capture, fd, offset, whence);
      return Libc.check(rc, "lseek", "", capture);
    }
  }

  /** copy_file_range(2) from the current offset of one file to that of another. */
  public static long copy_file_range(int from, int to, long count) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = COPY_FILE_RANGE.callLong(capture, from, 0, to, 0, count, 0);
      return Libc.check(rc, "copy_file_range", "", capture);
    }
  }

  /** ioctl(2) FICLONE: {@code to} shares all blocks of {@code from}. */
  public static void ficlone(int to, int from) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(IOCTL_INT.call(capture, to, FICLONE, from), "ficlone", "", capture);
    }
  }

  /** pwrite(2) from native memory. */
  public static long pwrite(int fd, MemorySegment buffer, long count, long offset)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = PWRITE.callLong(capture, fd, at(buffer), count, offset);
      return Libc.check(rc, "pwrite", "", capture);
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
      error = FADVISE.call(capture, fd, offset, length, advice);
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
      Libc.check(function.call(capture, fd), call, "", capture);
    }
  }

  /** fchown(2). */
  public static void fchown(int fd, int uid, int gid) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(FCHOWN.call(capture, fd, uid, gid), "fchown", "", capture);
    }
  }

  /** fchmod(2). */
  public static void fchmod(int fd, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(FCHMOD.call(capture, fd, mode), "fchmod", "", capture);
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
      Libc.check(FUTIMENS.call(capture, fd, at(spec)), "futimens", "", capture);
    }
  }

  /** statfs(2), into memory of {@link #STATFS_SIZE} bytes. */
  public static void statfs(byte[] path, MemorySegment into) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = STATFS.call(capture, at(AtCalls.cString(arena, path)), at(into));
      Libc.check(rc, "statfs", AtCalls.shown(path), capture);
    }
  }
}

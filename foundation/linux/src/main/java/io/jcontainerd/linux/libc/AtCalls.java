package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** The {@code *at} calls: names looked up below an open directory. Names are bytes without NUL. */
public final class AtCalls {
  public static final int AT_FDCWD = -100;
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;
  public static final int AT_REMOVEDIR = 0x200;
  public static final int AT_EMPTY_PATH = 0x1000;

  private static final boolean AARCH64 = "aarch64".equals(System.getProperty("os.arch"));
  public static final int O_DIRECTORY = AARCH64 ? 0_040_000 : 0_200_000;
  public static final int O_NOFOLLOW = AARCH64 ? 0_100_000 : 0_400_000;
  public static final int O_PATH = 0_10_000_000;

  public static final long RESOLVE_NO_XDEV = 0x01;
  public static final long RESOLVE_NO_MAGICLINKS = 0x02;
  public static final long RESOLVE_NO_SYMLINKS = 0x04;
  public static final long RESOLVE_BENEATH = 0x08;
  public static final long RESOLVE_IN_ROOT = 0x10;

  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;

  public static final long STATX_SIZE = 256;
  private static final int STATX_BASIC_STATS = 0x7ff;

  /** Numbers from 424 on are the same on every architecture. */
  private static final long SYS_OPENAT2 = 437;

  private static final CFunction OPENAT = new CFunction("openat");
  private static final CFunction SYSCALL = new CFunction("syscall");
  private static final CFunction MKDIRAT = new CFunction("mkdirat");
  private static final CFunction SYMLINKAT = new CFunction("symlinkat");
  private static final CFunction LINKAT = new CFunction("linkat");
  private static final CFunction UNLINKAT = new CFunction("unlinkat");
  private static final CFunction RENAMEAT2 = new CFunction("renameat2");
  private static final CFunction MKNODAT = new CFunction("mknodat");
  private static final CFunction FCHOWNAT = new CFunction("fchownat");
  private static final CFunction FCHMODAT = new CFunction("fchmodat");
  private static final CFunction UTIMENSAT = new CFunction("utimensat");
  private static final CFunction READLINKAT = new CFunction("readlinkat");
  private static final CFunction STATX = new CFunction("statx");
  private static final CFunction GETDENTS64 = new CFunction("getdents64");

  private AtCalls() {}

  static MemorySegment cString(Arena arena, byte[] text) {
    MemorySegment memory = arena.allocate(text.length + 1L);
    MemorySegment.copy(text, 0, memory, JAVA_BYTE, 0, text.length);
    return memory;
  }

  static String shown(byte[] text) {
    return new String(text, StandardCharsets.UTF_8);
  }

  /** openat(2). */
  public static int openat(int dir, byte[] name, int flags, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = OPENAT.call(capture, dir, at(cString(arena, name)), flags, mode);
      return rc >= 0 ? rc : Libc.check(rc, "openat", shown(name), capture);
    }
  }

  /** openat2(2). */
  public static int openat2(int dir, byte[] name, long flags, long mode, long resolve)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment how = arena.allocate(JAVA_LONG, 3);
      how.setAtIndex(JAVA_LONG, 0, flags);
      how.setAtIndex(JAVA_LONG, 1, mode);
      how.setAtIndex(JAVA_LONG, 2, resolve);
      long rc = SYSCALL.call(capture, SYS_OPENAT2, dir, at(cString(arena, name)), at(how), 24);
      return Math.toIntExact(rc >= 0 ? rc : Libc.check(rc, "openat2", shown(name), capture));
    }
  }

  /** mkdirat(2); the mode is subject to the umask. */
  public static void mkdirat(int dir, byte[] name, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = MKDIRAT.call(capture, dir, at(cString(arena, name)), mode);
      if (rc < 0) {
        Libc.check(rc, "mkdirat", shown(name), capture);
      }
    }
  }

  /** symlinkat(2). */
  public static void symlinkat(byte[] target, int dir, byte[] name) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = SYMLINKAT.call(capture, at(cString(arena, target)), dir, at(cString(arena, name)));
      if (rc < 0) {
        Libc.check(rc, "symlinkat", shown(name), capture);
      }
    }
  }

  /** linkat(2). */
  public static void linkat(int fromDir, byte[] from, int toDir, byte[] to, int flags)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          LINKAT.call(
              capture, fromDir, at(cString(arena, from)), toDir, at(cString(arena, to)), flags);
      if (rc < 0) {
        Libc.check(rc, "linkat", shown(from) + " " + shown(to), capture);
      }
    }
  }

  /** unlinkat(2); with AT_REMOVEDIR it is rmdir(2). */
  public static void unlinkat(int dir, byte[] name, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = UNLINKAT.call(capture, dir, at(cString(arena, name)), flags);
      if (rc < 0) {
        Libc.check(rc, "unlinkat", shown(name), capture);
      }
    }
  }

  /** renameat2(2). */
  public static void renameat2(int fromDir, byte[] from, int toDir, byte[] to, int flags)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          RENAMEAT2.call(
              capture, fromDir, at(cString(arena, from)), toDir, at(cString(arena, to)), flags);
      if (rc < 0) {
        Libc.check(rc, "renameat2", shown(from) + " " + shown(to), capture);
      }
    }
  }

  /** mknodat(2); the mode holds type and permissions and is subject to the umask. */
  public static void mknodat(int dir, byte[] name, int mode, long device) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = MKNODAT.call(capture, dir, at(cString(arena, name)), mode, device);
      if (rc < 0) {
        Libc.check(rc, "mknodat", shown(name), capture);
      }
    }
  }

  /** fchownat(2). */
  public static void fchownat(int dir, byte[] name, int uid, int gid, int flags)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = FCHOWNAT.call(capture, dir, at(cString(arena, name)), uid, gid, flags);
      if (rc < 0) {
        Libc.check(rc, "fchownat", shown(name), capture);
      }
    }
  }

  /** fchmodat(2); follows a symbolic link in the last component. */
  public static void fchmodat(int dir, byte[] name, int mode) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = FCHMODAT.call(capture, dir, at(cString(arena, name)), mode, 0);
      if (rc < 0) {
        Libc.check(rc, "fchmodat", shown(name), capture);
      }
    }
  }

  /**
   * utimensat(2).
   *
   * @param times access seconds and nanoseconds, then modification seconds and nanoseconds
   */
  public static void utimensat(int dir, byte[] name, long[] times, int flags)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment spec = arena.allocateFrom(JAVA_LONG, times);
      int rc = UTIMENSAT.call(capture, dir, at(cString(arena, name)), at(spec), flags);
      if (rc < 0) {
        Libc.check(rc, "utimensat", shown(name), capture);
      }
    }
  }

  /** readlinkat(2); an empty name reads the link that {@code dir} itself is open on. */
  public static byte[] readlinkat(int dir, byte[] name) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment buffer = arena.allocate(4097);
      long rc = READLINKAT.callLong(capture, dir, at(cString(arena, name)), at(buffer), 4097);
      if (rc < 0) {
        Libc.check(rc, "readlinkat", shown(name), capture);
      }
      return buffer.asSlice(0, rc).toArray(JAVA_BYTE);
    }
  }

  /** statx(2) with the basic fields, into memory of {@link #STATX_SIZE} bytes. */
  public static void statx(int dir, byte[] name, int flags, MemorySegment into)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          STATX.call(capture, dir, at(cString(arena, name)), flags, STATX_BASIC_STATS, at(into));
      if (rc < 0) {
        Libc.check(rc, "statx", shown(name), capture);
      }
    }
  }

  /** getdents64(2); zero at the end. */
  public static long getdents64(int dir, MemorySegment buffer) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = GETDENTS64.callLong(capture, dir, at(buffer), buffer.byteSize());
      return rc >= 0 ? rc : Libc.check(rc, "getdents64", "fd " + dir, capture);
    }
  }
}

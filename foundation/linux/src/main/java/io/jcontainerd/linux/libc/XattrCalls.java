package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Extended attributes of a path whose last component is not followed. */
public final class XattrCalls {
  /** Most bytes that the kernel allows for a value and for a list of names. */
  private static final long MAX = 65_536;

  private static final long FIRST_TRY = 1024;

  private static final CFunction LGETXATTR = new CFunction("lgetxattr");
  private static final CFunction LSETXATTR = new CFunction("lsetxattr");
  private static final CFunction LLISTXATTR = new CFunction("llistxattr");
  private static final CFunction LREMOVEXATTR = new CFunction("lremovexattr");

  private XattrCalls() {}

  /** lgetxattr(2): the whole value. */
  public static byte[] lgetxattr(byte[] path, byte[] name) throws ErrnoException {
    for (long room = FIRST_TRY; ; room = MAX) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment capture = Libc.capture(arena);
        MemorySegment value = arena.allocate(room);
        long rc =
            LGETXATTR.callLong(
                capture,
                at(AtCalls.cString(arena, path)),
                at(AtCalls.cString(arena, name)),
                at(value),
                room);
        if (rc < 0 && Libc.errno(capture) == Errno.ERANGE && room < MAX) {
          continue;
        }
        Libc.check(rc, "lgetxattr", AtCalls.shown(path) + " " + AtCalls.shown(name), capture);
        return value.asSlice(0, rc).toArray(JAVA_BYTE);
      }
    }
  }

  /** lsetxattr(2); creates or replaces. */
  public static void lsetxattr(byte[] path, byte[] name, byte[] value) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          LSETXATTR.call(
              capture,
              at(AtCalls.cString(arena, path)),
              at(AtCalls.cString(arena, name)),
              at(AtCalls.cString(arena, value)),
              value.length,
              0);
      Libc.check(rc, "lsetxattr", AtCalls.shown(path) + " " + AtCalls.shown(name), capture);
    }
  }

  /** llistxattr(2): names, each ended by NUL. */
  public static byte[] llistxattr(byte[] path) throws ErrnoException {
    for (long room = FIRST_TRY; ; room = MAX) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment capture = Libc.capture(arena);
        MemorySegment names = arena.allocate(room);
        long rc = LLISTXATTR.callLong(capture, at(AtCalls.cString(arena, path)), at(names), room);
        if (rc < 0 && Libc.errno(capture) == Errno.ERANGE && room < MAX) {
          continue;
        }
        Libc.check(rc, "llistxattr", AtCalls.shown(path), capture);
        return names.asSlice(0, rc).toArray(JAVA_BYTE);
      }
    }
  }

  /** lremovexattr(2). */
  public static void lremovexattr(byte[] path, byte[] name) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          LREMOVEXATTR.call(
              capture, at(AtCalls.cString(arena, path)), at(AtCalls.cString(arena, name)));
      Libc.check(rc, "lremovexattr", AtCalls.shown(path) + " " + AtCalls.shown(name), capture);
    }
  }
}

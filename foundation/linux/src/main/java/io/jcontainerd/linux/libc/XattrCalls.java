package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/** Extended attributes of a path whose last component is not followed. */
public final class XattrCalls {
  /** Most bytes that the kernel allows for a value and for a list of names. */
  private static final long MAX = 65_536;

  private static final long FIRST_TRY = 1024;

  private static final CFunction LGETXATTR =
      Libc.bind(
          "lgetxattr", FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG));
  private static final CFunction LSETXATTR =
      Libc.bind(
          "lsetxattr",
          FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT));
  private static final CFunction LLISTXATTR =
      Libc.bind("llistxattr", FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG));
  private static final CFunction LREMOVEXATTR =
      Libc.bind("lremovexattr", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));

  private XattrCalls() {}

  /** lgetxattr(2): the whole value. */
  public static byte[] lgetxattr(byte[] path, byte[] name) throws ErrnoException {
    for (long room = FIRST_TRY; ; room = MAX) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment capture = Libc.capture(arena);
        MemorySegment value = arena.allocate(room);
        long rc =
            (long)
                LGETXATTR
                    .handle()
                    .invokeExact(
                        capture,
                        AtCalls.cString(arena, path),
                        AtCalls.cString(arena, name),
                        value,
                        room);
        if (rc < 0 && Libc.errno(capture) == Errno.ERANGE && room < MAX) {
          continue;
        }
        Libc.check(rc, "lgetxattr", AtCalls.shown(path) + " " + AtCalls.shown(name), capture);
        return value.asSlice(0, rc).toArray(JAVA_BYTE);
      } catch (Throwable t) {
        throw Libc.failure("lgetxattr", t);
      }
    }
  }

  /** lsetxattr(2); creates or replaces. */
  public static void lsetxattr(byte[] path, byte[] name, byte[] value) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          (int)
              LSETXATTR
                  .handle()
                  .invokeExact(
                      capture,
                      AtCalls.cString(arena, path),
                      AtCalls.cString(arena, name),
                      AtCalls.cString(arena, value),
                      (long) value.length,
                      0);
      Libc.check(rc, "lsetxattr", AtCalls.shown(path) + " " + AtCalls.shown(name), capture);
    } catch (Throwable t) {
      throw Libc.failure("lsetxattr", t);
    }
  }

  /** llistxattr(2): names, each ended by NUL. */
  public static byte[] llistxattr(byte[] path) throws ErrnoException {
    for (long room = FIRST_TRY; ; room = MAX) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment capture = Libc.capture(arena);
        MemorySegment names = arena.allocate(room);
        long rc =
            (long)
                LLISTXATTR.handle().invokeExact(capture, AtCalls.cString(arena, path), names, room);
        if (rc < 0 && Libc.errno(capture) == Errno.ERANGE && room < MAX) {
          continue;
        }
        Libc.check(rc, "llistxattr", AtCalls.shown(path), capture);
        return names.asSlice(0, rc).toArray(JAVA_BYTE);
      } catch (Throwable t) {
        throw Libc.failure("llistxattr", t);
      }
    }
  }

  /** lremovexattr(2). */
  public static void lremovexattr(byte[] path, byte[] name) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc =
          (int)
              LREMOVEXATTR
                  .handle()
                  .invokeExact(capture, AtCalls.cString(arena, path), AtCalls.cString(arena, name));
      Libc.check(rc, "lremovexattr", AtCalls.shown(path) + " " + AtCalls.shown(name), capture);
    } catch (Throwable t) {
      throw Libc.failure("lremovexattr", t);
    }
  }
}

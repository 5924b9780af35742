package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;

/** inotify(7). */
public final class InotifyCalls {
  public static final int IN_MODIFY = 0x2;
  public static final int IN_DELETE_SELF = 0x400;
  public static final int IN_IGNORED = 0x8000;
  public static final int IN_CLOEXEC = DescriptorCalls.O_CLOEXEC;
  public static final int IN_NONBLOCK = DescriptorCalls.O_NONBLOCK;

  private static final CFunction INIT1 =
      Libc.bind("inotify_init1", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final CFunction ADD_WATCH =
      Libc.bind("inotify_add_watch", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));

  private static final CFunction RM_WATCH =
      Libc.bind("inotify_rm_watch", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));

  private InotifyCalls() {}

  /** inotify_init1(2). */
  public static int inotify_init1(int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) INIT1.handle().invokeExact(capture, flags);
      return Libc.check(rc, "inotify_init1", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("inotify_init1", t);
    }
  }

  /** inotify_add_watch(2): the watch descriptor. */
  public static int inotify_add_watch(int fd, String path, int mask) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) ADD_WATCH.handle().invokeExact(capture, fd, arena.allocateFrom(path), mask);
      return Libc.check(rc, "inotify_add_watch", path, capture);
    } catch (Throwable t) {
      throw Libc.failure("inotify_add_watch", t);
    }
  }

  /** inotify_rm_watch(2); a watch that is gone already is no error. */
  public static void inotify_rm_watch(int fd, int watch) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int _ = (int) RM_WATCH.handle().invokeExact(capture, fd, watch);
    } catch (Throwable t) {
      throw new AssertionError("inotify_rm_watch", t);
    }
  }
}

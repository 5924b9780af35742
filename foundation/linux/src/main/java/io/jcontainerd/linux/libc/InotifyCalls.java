package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** inotify(7). */
public final class InotifyCalls {
  public static final int IN_MODIFY = 0x2;
  public static final int IN_DELETE_SELF = 0x400;
  public static final int IN_IGNORED = 0x8000;
  public static final int IN_CLOEXEC = DescriptorCalls.O_CLOEXEC;
  public static final int IN_NONBLOCK = DescriptorCalls.O_NONBLOCK;

  private static final CFunction INIT1 = new CFunction("inotify_init1");
  private static final CFunction ADD_WATCH = new CFunction("inotify_add_watch");

  private static final CFunction RM_WATCH = new CFunction("inotify_rm_watch");

  private InotifyCalls() {}

  /** inotify_init1(2). */
  public static int inotify_init1(int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = INIT1.call(capture, flags);
      return Libc.check(rc, "inotify_init1", "", capture);
    }
  }

  /** inotify_add_watch(2): the watch descriptor. */
  public static int inotify_add_watch(int fd, String path, int mask) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = ADD_WATCH.call(capture, fd, at(arena.allocateFrom(path)), mask);
      return Libc.check(rc, "inotify_add_watch", path, capture);
    }
  }

  /** inotify_rm_watch(2); a watch that is gone already is no error. */
  public static void inotify_rm_watch(int fd, int watch) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int _ = RM_WATCH.call(capture, fd, watch);
    }
  }
}

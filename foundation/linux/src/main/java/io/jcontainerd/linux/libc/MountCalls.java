package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.Errno;
import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Both generations of mount calls, and what a thread needs to have a working folder of its own. */
public final class MountCalls {
  public static final long MS_RDONLY = 1;
  public static final long MS_NOSUID = 2;
  public static final long MS_NODEV = 4;
  public static final long MS_NOEXEC = 8;
  public static final long MS_SYNCHRONOUS = 16;
  public static final long MS_REMOUNT = 32;
  public static final long MS_MANDLOCK = 64;
  public static final long MS_DIRSYNC = 128;
  public static final long MS_NOSYMFOLLOW = 256;
  public static final long MS_NOATIME = 1024;
  public static final long MS_NODIRATIME = 2048;
  public static final long MS_BIND = 4096;
  public static final long MS_MOVE = 8192;
  public static final long MS_REC = 16_384;
  public static final long MS_SILENT = 32_768;
  public static final long MS_UNBINDABLE = 1L << 17;
  public static final long MS_PRIVATE = 1L << 18;
  public static final long MS_SLAVE = 1L << 19;
  public static final long MS_SHARED = 1L << 20;
  public static final long MS_RELATIME = 1L << 21;
  public static final long MS_STRICTATIME = 1L << 24;
  public static final long MS_LAZYTIME = 1L << 25;

  public static final int MNT_FORCE = 1;
  public static final int MNT_DETACH = 2;
  public static final int UMOUNT_NOFOLLOW = 8;

  public static final int OPEN_TREE_CLONE = 1;
  public static final int OPEN_TREE_CLOEXEC = DescriptorCalls.O_CLOEXEC;
  public static final int AT_RECURSIVE = 0x8000;
  public static final int MOVE_MOUNT_F_EMPTY_PATH = 4;

  public static final long MOUNT_ATTR_RDONLY = 1;
  public static final long MOUNT_ATTR_NOSUID = 2;
  public static final long MOUNT_ATTR_NODEV = 4;
  public static final long MOUNT_ATTR_NOEXEC = 8;
  public static final long MOUNT_ATTR_NOATIME = 0x10;
  public static final long MOUNT_ATTR_STRICTATIME = 0x20;
  public static final long MOUNT_ATTR_NODIRATIME = 0x80;
  public static final long MOUNT_ATTR_IDMAP = 0x00100000;
  public static final long MOUNT_ATTR_NOSYMFOLLOW = 0x00200000;

  public static final int FSOPEN_CLOEXEC = 1;
  public static final int FSMOUNT_CLOEXEC = 1;
  public static final int FSCONFIG_SET_FLAG = 0;
  public static final int FSCONFIG_SET_STRING = 1;
  public static final int FSCONFIG_CMD_CREATE = 6;

  private static final int CLONE_FS = 0x200;

  /** Numbers from 424 on are the same on every architecture. */
  private static final long SYS_OPEN_TREE = 428;

  private static final long SYS_MOVE_MOUNT = 429;
  private static final long SYS_FSOPEN = 430;
  private static final long SYS_FSCONFIG = 431;
  private static final long SYS_FSMOUNT = 432;
  private static final long SYS_MOUNT_SETATTR = 442;

  private static final long MOUNT_ATTR_SIZE = 32;

  private static final CFunction MOUNT = new CFunction("mount");
  private static final CFunction UMOUNT2 = new CFunction("umount2");
  private static final CFunction UNSHARE = new CFunction("unshare");
  private static final CFunction CHDIR = new CFunction("chdir");
  private static final CFunction SYSCALL = new CFunction("syscall");

  private static final CFunction GETPAGESIZE = new CFunction("getpagesize");

  private MountCalls() {}

  /** getpagesize(2), which bounds the options of {@link #mount}. */
  public static int pageSize() {
    try (Arena arena = Arena.ofConfined()) {
      return GETPAGESIZE.call(Libc.capture(arena));
    }
  }

  /** mount(2). */
  public static void mount(byte[] source, byte[] target, String type, long flags, byte[] data)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment options = data.length == 0 ? MemorySegment.NULL : AtCalls.cString(arena, data);
      int rc =
          MOUNT.call(
              capture,
              at(AtCalls.cString(arena, source)),
              at(AtCalls.cString(arena, target)),
              at(arena.allocateFrom(type)),
              flags,
              at(options));
      Libc.check(rc, "mount", AtCalls.shown(target), capture);
    }
  }

  /** umount2(2). */
  public static void umount2(byte[] target, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = UMOUNT2.call(capture, at(AtCalls.cString(arena, target)), flags);
      Libc.check(rc, "umount2", AtCalls.shown(target), capture);
    }
  }

  /**
   * unshare(2) of the file system attributes (working folder, umask). Only for a platform thread
   * that ends soon after.
   */
  public static void unshareFs() throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      Libc.check(UNSHARE.call(capture, CLONE_FS), "unshare", "CLONE_FS", capture);
    }
  }

  /** chdir(2). Only after {@link #unshareFs}. */
  public static void chdir(byte[] path) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = CHDIR.call(capture, at(AtCalls.cString(arena, path)));
      Libc.check(rc, "chdir", AtCalls.shown(path), capture);
    }
  }

  /** open_tree(2). */
  public static int open_tree(int dir, byte[] path, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = SYSCALL.call(capture, SYS_OPEN_TREE, dir, at(AtCalls.cString(arena, path)), flags);
      return Math.toIntExact(Libc.check(rc, "open_tree", AtCalls.shown(path), capture));
    }
  }

  /** move_mount(2) of the mount that {@code from} is open on. */
  public static void move_mount(int from, byte[] target) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc =
          SYSCALL.call(
              capture,
              SYS_MOVE_MOUNT,
              from,
              at(arena.allocateFrom("")),
              AtCalls.AT_FDCWD,
              at(AtCalls.cString(arena, target)),
              MOVE_MOUNT_F_EMPTY_PATH);
      Libc.check(rc, "move_mount", AtCalls.shown(target), capture);
    }
  }

  /** fsopen(2). */
  public static int fsopen(String type) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = SYSCALL.call(capture, SYS_FSOPEN, at(arena.allocateFrom(type)), FSOPEN_CLOEXEC);
      return Math.toIntExact(Libc.check(rc, "fsopen", type, capture));
    }
  }

  /** fsconfig(2) with a text value; what the kernel says about a refusal is in the subject. */
  public static void fsconfigString(int fs, String key, byte[] value) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc =
          SYSCALL.call(
              capture,
              SYS_FSCONFIG,
              fs,
              FSCONFIG_SET_STRING,
              at(arena.allocateFrom(key)),
              at(AtCalls.cString(arena, value)),
              0);
      checkFs(rc, fs, key + "=" + AtCalls.shown(value), capture);
    }
  }

  /** fsconfig(2) with a flag. */
  public static void fsconfigFlag(int fs, String key) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc =
          SYSCALL.call(
              capture, SYS_FSCONFIG, fs, FSCONFIG_SET_FLAG, at(arena.allocateFrom(key)), 0, 0);
      checkFs(rc, fs, key, capture);
    }
  }

  /** fsconfig(2) FSCONFIG_CMD_CREATE: makes the file system from what was set. */
  public static void fsconfigCreate(int fs) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = SYSCALL.call(capture, SYS_FSCONFIG, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
      checkFs(rc, fs, "create", capture);
    }
  }

  private static void checkFs(long rc, int fs, String subject, MemorySegment capture)
      throws ErrnoException {
    if (rc < 0) {
      int errno = Libc.errno(capture);
      String said = message(fs);
      throw new ErrnoException("fsconfig", said.isEmpty() ? subject : subject + " " + said, errno);
    }
  }

  /** What the kernel logged on a file system context; empty if nothing. */
  private static String message(int fs) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(1024);
      long length = DescriptorCalls.read(fs, buffer, 1024);
      byte[] text = new byte[(int) length];
      MemorySegment.copy(buffer, JAVA_BYTE, 0, text, 0, text.length);
      return "(" + new String(text, StandardCharsets.UTF_8).strip() + ")";
    } catch (ErrnoException e) {
      return e.is(Errno.ENODATA) ? "" : "(no message: " + e.errnoName() + ")";
    }
  }

  /** fsmount(2): a mount of the file system, not attached anywhere yet. */
  public static int fsmount(int fs, long attributes) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      long rc = SYSCALL.call(capture, SYS_FSMOUNT, fs, FSMOUNT_CLOEXEC, attributes);
      return Math.toIntExact(Libc.check(rc, "fsmount", "", capture));
    }
  }

  /** mount_setattr(2) on the mount that {@code mount} is open on. */
  public static void mount_setattr(
      int mount, boolean recursive, long set, long clear, long propagation, int userns)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment attr = arena.allocate(JAVA_LONG, 4);
      attr.setAtIndex(JAVA_LONG, 0, set);
      attr.setAtIndex(JAVA_LONG, 1, clear);
      attr.setAtIndex(JAVA_LONG, 2, propagation);
      attr.setAtIndex(JAVA_LONG, 3, userns);
      int flags = AtCalls.AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
      long rc =
          SYSCALL.call(
              capture,
              SYS_MOUNT_SETATTR,
              mount,
              at(arena.allocateFrom("")),
              flags,
              at(attr),
              MOUNT_ATTR_SIZE);
      Libc.check(rc, "mount_setattr", "", capture);
    }
  }
}

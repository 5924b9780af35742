package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Flags of inodes (ioctl_iflags(2)) and fs-verity. */
public final class FlagCalls {
  public static final long IMMUTABLE = 0x10;
  public static final long VERITY = 0x0010_0000;

  private static final long GETFLAGS = 0x8008_6601L;
  private static final long SETFLAGS = 0x4008_6602L;
  private static final long ENABLE_VERITY = 0x4080_6685L;

  /** {@code fsverity_enable_arg}: version, hash algorithm, block size, salt, signature. */
  private static final long VERITY_SIZE = 128;

  private static final int VERSION = 1;
  private static final int SHA256 = 1;
  private static final int BLOCK = 4096;

  private static final CFunction IOCTL = new CFunction("ioctl");

  private FlagCalls() {}

  /** ioctl(2) FS_IOC_GETFLAGS; the kernel reads and writes an int whatever the number says. */
  public static long getFlags(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(8, 8);
      ioctl(arena, fd, GETFLAGS, flags, "fs_ioc_getflags");
      return Integer.toUnsignedLong(flags.get(JAVA_INT, 0));
    }
  }

  /** ioctl(2) FS_IOC_SETFLAGS. */
  public static void setFlags(int fd, long wanted) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment flags = arena.allocate(8, 8);
      flags.set(JAVA_INT, 0, (int) wanted);
      ioctl(arena, fd, SETFLAGS, flags, "fs_ioc_setflags");
    }
  }

  /** ioctl(2) FS_IOC_ENABLE_VERITY with SHA-256 and blocks of 4096 bytes. */
  public static void enableVerity(int fd) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment args = arena.allocate(VERITY_SIZE, 8);
      args.set(JAVA_INT, 0, VERSION);
      args.set(JAVA_INT, 4, SHA256);
      args.set(JAVA_INT, 8, BLOCK);
      ioctl(arena, fd, ENABLE_VERITY, args, "fs_ioc_enable_verity");
    }
  }

  private static void ioctl(Arena arena, int fd, long request, MemorySegment argument, String call)
      throws ErrnoException {
    MemorySegment capture = Libc.capture(arena);
    int rc = IOCTL.call(capture, fd, request, at(argument));
    Libc.check(rc, call, "", capture);
  }
}

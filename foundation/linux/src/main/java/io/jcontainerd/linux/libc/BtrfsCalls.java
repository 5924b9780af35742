package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Subvolumes of btrfs ({@code linux/btrfs.h}). */
public final class BtrfsCalls {
  /** The inode number of every subvolume's top. */
  public static final long TOP_INODE = 256;

  public static final long SUBVOL_RDONLY = 2;

  /** The longest name that fits into a request. */
  public static final int NAME_MAX = 255;

  private static final long SNAP_DESTROY = 0x5000940FL;
  private static final long SNAP_CREATE_V2 = 0x50009417L;
  private static final long SUBVOL_CREATE_V2 = 0x50009418L;
  private static final long INO_LOOKUP = 0xD0009412L;

  /** {@code btrfs_ioctl_vol_args} and {@code _v2}, {@code btrfs_ioctl_ino_lookup_args}. */
  private static final long ARGS_SIZE = 4096;

  private static final long V1_NAME = 8;
  private static final long V2_FLAGS = 16;
  private static final long V2_NAME = 56;
  private static final long LOOKUP_OBJECT = 8;

  private static final CFunction IOCTL = new CFunction("ioctl");

  private BtrfsCalls() {}

  /** ioctl(2) BTRFS_IOC_SUBVOL_CREATE_V2: a new, empty subvolume in a folder. */
  public static void create(int folder, byte[] name) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment args = arena.allocate(ARGS_SIZE, 8);
      put(args, V2_NAME, name);
      ioctl(arena, folder, SUBVOL_CREATE_V2, args, "btrfs_subvol_create", name);
    }
  }

  /** ioctl(2) BTRFS_IOC_SNAP_CREATE_V2: a subvolume in a folder that begins as another is. */
  public static void snapshot(int folder, byte[] name, int source, long flags)
      throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment args = arena.allocate(ARGS_SIZE, 8);
      args.set(JAVA_LONG, 0, source);
      args.set(JAVA_LONG, V2_FLAGS, flags);
      put(args, V2_NAME, name);
      ioctl(arena, folder, SNAP_CREATE_V2, args, "btrfs_snap_create", name);
    }
  }

  /** ioctl(2) BTRFS_IOC_SNAP_DESTROY: removes a subvolume that holds no other. */
  public static void destroy(int folder, byte[] name) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment args = arena.allocate(ARGS_SIZE, 8);
      put(args, V1_NAME, name);
      ioctl(arena, folder, SNAP_DESTROY, args, "btrfs_snap_destroy", name);
    }
  }

  /** ioctl(2) BTRFS_IOC_INO_LOOKUP: the number of the subvolume that a file is in. */
  public static long subvolume(int file) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment args = arena.allocate(ARGS_SIZE, 8);
      args.set(JAVA_LONG, LOOKUP_OBJECT, TOP_INODE);
      ioctl(arena, file, INO_LOOKUP, args, "btrfs_ino_lookup", new byte[0]);
      return args.get(JAVA_LONG, 0);
    }
  }

  private static void put(MemorySegment args, long at, byte[] name) {
    if (name.length > NAME_MAX) {
      throw new IllegalArgumentException("a name of " + name.length + " bytes");
    }
    MemorySegment.copy(MemorySegment.ofArray(name), 0, args, at, name.length);
  }

  private static void ioctl(
      Arena arena, int fd, long request, MemorySegment args, String call, byte[] subject)
      throws ErrnoException {
    MemorySegment capture = Libc.capture(arena);
    int rc = IOCTL.call(capture, fd, request, at(args));
    Libc.check(rc, call, new String(subject, StandardCharsets.UTF_8), capture);
  }
}

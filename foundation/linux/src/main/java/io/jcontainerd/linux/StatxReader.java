package io.jcontainerd.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.linux.libc.AtCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Instant;

/** Reads {@code struct statx}, which is the same on every architecture. */
final class StatxReader {
  private static final long NLINK = 16;
  private static final long UID = 20;
  private static final long GID = 24;
  private static final long MODE = 28;
  private static final long INO = 32;
  private static final long SIZE = 40;
  private static final long BLOCKS = 48;
  private static final long CTIME = 96;
  private static final long MTIME = 112;
  private static final long RDEV_MAJOR = 128;
  private static final long RDEV_MINOR = 132;
  private static final long DEV_MAJOR = 136;
  private static final long DEV_MINOR = 140;

  private StatxReader() {}

  /** The status of a name below an open folder, a link in its last component not followed. */
  static FileStat read(int dir, byte[] name, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment statx = arena.allocate(AtCalls.STATX_SIZE, 8);
      AtCalls.statx(dir, name, flags | AtCalls.AT_SYMLINK_NOFOLLOW, statx);
      int mode = Short.toUnsignedInt(statx.get(JAVA_SHORT, MODE));
      return new FileStat(
          type(mode),
          mode & 07777,
          statx.get(JAVA_INT, UID),
          statx.get(JAVA_INT, GID),
          statx.get(JAVA_LONG, SIZE),
          statx.get(JAVA_LONG, BLOCKS),
          Integer.toUnsignedLong(statx.get(JAVA_INT, NLINK)),
          statx.get(JAVA_LONG, INO),
          device(statx, DEV_MAJOR, DEV_MINOR),
          device(statx, RDEV_MAJOR, RDEV_MINOR),
          time(statx, MTIME),
          time(statx, CTIME));
    }
  }

  private static long device(MemorySegment statx, long major, long minor) {
    return DeviceNumber.of(
        Integer.toUnsignedLong(statx.get(JAVA_INT, major)),
        Integer.toUnsignedLong(statx.get(JAVA_INT, minor)));
  }

  private static Instant time(MemorySegment statx, long at) {
    return Instant.ofEpochSecond(
        statx.get(JAVA_LONG, at), Integer.toUnsignedLong(statx.get(JAVA_INT, at + 8)));
  }

  private static FileStat.Type type(int mode) {
    return switch (mode & 0170000) {
      case 0100000 -> FileStat.Type.REGULAR;
      case 0040000 -> FileStat.Type.DIRECTORY;
      case 0120000 -> FileStat.Type.SYMLINK;
      case 0020000 -> FileStat.Type.CHARACTER_DEVICE;
      case 0060000 -> FileStat.Type.BLOCK_DEVICE;
      case 0010000 -> FileStat.Type.FIFO;
      case 0140000 -> FileStat.Type.SOCKET;
      default -> throw new AssertionError("file mode " + Integer.toOctalString(mode));
    };
  }
}

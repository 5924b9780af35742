package io.jcontainerd.linux;

import io.jcontainerd.linux.libc.AtCalls;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.FlagCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** What {@code chattr(1)} and {@code fsverity(1)} do to files, where the file system can. */
public final class FileFlags {
  private FileFlags() {}

  private interface OnFile<T> {
    T run(int fd) throws IOException;
  }

  private static <T> T on(Path file, OnFile<T> action) throws IOException {
    try {
      byte[] raw = file.toString().getBytes(StandardCharsets.UTF_8);
      int flags = DescriptorCalls.O_RDONLY | DescriptorCalls.O_CLOEXEC | AtCalls.O_NOFOLLOW;
      int fd = AtCalls.openat(AtCalls.AT_FDCWD, raw, flags, 0);
      try {
        return action.run(fd);
      } finally {
        DescriptorCalls.close(fd);
      }
    } catch (ErrnoException e) {
      throw Failures.told(e, file);
    }
  }

  /** Makes a file that nobody may change or remove, or takes that back. */
  public static void setImmutable(Path file, boolean on) throws IOException {
    boolean _ =
        on(
            file,
            fd -> {
              long flags = FlagCalls.getFlags(fd);
              long wanted = on ? flags | FlagCalls.IMMUTABLE : flags & ~FlagCalls.IMMUTABLE;
              if (wanted != flags) {
                FlagCalls.setFlags(fd, wanted);
              }
              return true;
            });
  }

  /** Whether nobody may change or remove it; no on file systems that know no such thing. */
  public static boolean isImmutable(Path file) throws IOException {
    return has(file, FlagCalls.IMMUTABLE);
  }

  /** Lets the kernel check every block that is read of it from now on; it cannot be changed. */
  public static void enableVerity(Path file) throws IOException {
    boolean _ =
        on(
            file,
            fd -> {
              Blocking.run("verity", () -> FlagCalls.enableVerity(fd));
              return true;
            });
  }

  /** Whether the kernel checks every block that is read of it. */
  public static boolean hasVerity(Path file) throws IOException {
    return has(file, FlagCalls.VERITY);
  }

  private static boolean has(Path file, long flag) throws IOException {
    return on(
        file,
        fd -> {
          try {
            return (FlagCalls.getFlags(fd) & flag) != 0;
          } catch (ErrnoException e) {
            if (e.is(Errno.ENOTTY, Errno.EOPNOTSUPP, Errno.EINVAL)) {
              return false;
            }
            throw e;
          }
        });
  }
}

package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Loop devices (loop(4)). */
public final class LoopCalls {
  public static final int LO_FLAGS_READ_ONLY = 1;
  public static final int LO_FLAGS_AUTOCLEAR = 4;

  private static final long LOOP_CTL_GET_FREE = 0x4C82;
  private static final long LOOP_CONFIGURE = 0x4C0A;
  private static final long LOOP_SET_STATUS64 = 0x4C04;
  private static final long LOOP_GET_STATUS64 = 0x4C05;

  /** {@code loop_info64}. */
  private static final long INFO_SIZE = 232;

  private static final long INFO_FLAGS = 52;

  /** {@code struct loop_config}: descriptor, block size, {@code loop_info64}, reserved. */
  private static final long CONFIG_SIZE = 304;

  private static final long CONFIG_FLAGS = 8 + INFO_FLAGS;

  private static final CFunction IOCTL_INT = new CFunction("ioctl");
  private static final CFunction IOCTL = new CFunction("ioctl");

  private LoopCalls() {}

  /** ioctl(2) LOOP_CTL_GET_FREE: the number of a device that was free a moment ago. */
  public static int getFree(int control) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = IOCTL_INT.call(capture, control, LOOP_CTL_GET_FREE, 0);
      return Libc.check(rc, "loop_ctl_get_free", "", capture);
    }
  }

  /** ioctl(2) LOOP_CONFIGURE: puts a file behind a device. */
  public static void configure(int device, int file, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment config = arena.allocate(CONFIG_SIZE, 8);
      config.set(JAVA_INT, 0, file);
      config.set(JAVA_INT, CONFIG_FLAGS, flags);
      int rc = IOCTL.call(capture, device, LOOP_CONFIGURE, at(config));
      Libc.check(rc, "loop_configure", "", capture);
    }
  }

  /** ioctl(2) LOOP_GET_STATUS64 and LOOP_SET_STATUS64: whether the last user's end frees it. */
  public static void setAutoclear(int device, boolean on) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment info = arena.allocate(INFO_SIZE, 8);
      int rc = IOCTL.call(capture, device, LOOP_GET_STATUS64, at(info));
      Libc.check(rc, "loop_get_status64", "", capture);
      int flags = info.get(JAVA_INT, INFO_FLAGS);
      info.set(JAVA_INT, INFO_FLAGS, on ? flags | LO_FLAGS_AUTOCLEAR : flags & ~LO_FLAGS_AUTOCLEAR);
      rc = IOCTL.call(capture, device, LOOP_SET_STATUS64, at(info));
      Libc.check(rc, "loop_set_status64", "", capture);
    }
  }
}

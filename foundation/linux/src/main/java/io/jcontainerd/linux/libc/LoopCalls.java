package io.jcontainerd.linux.libc;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
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

  private static final CFunction IOCTL_INT =
      Libc.bindVariadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_INT));
  private static final CFunction IOCTL =
      Libc.bindVariadic("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));

  private LoopCalls() {}

  /** ioctl(2) LOOP_CTL_GET_FREE: the number of a device that was free a moment ago. */
  public static int getFree(int control) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      int rc = (int) IOCTL_INT.handle().invokeExact(capture, control, LOOP_CTL_GET_FREE, 0);
      return Libc.check(rc, "loop_ctl_get_free", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("loop_ctl_get_free", t);
    }
  }

  /** ioctl(2) LOOP_CONFIGURE: puts a file behind a device. */
  public static void configure(int device, int file, int flags) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment config = arena.allocate(CONFIG_SIZE, 8);
      config.set(JAVA_INT, 0, file);
      config.set(JAVA_INT, CONFIG_FLAGS, flags);
      int rc = (int) IOCTL.handle().invokeExact(capture, device, LOOP_CONFIGURE, config);
      Libc.check(rc, "loop_configure", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("loop_configure", t);
    }
  }

  /** ioctl(2) LOOP_GET_STATUS64 and LOOP_SET_STATUS64: whether the last user's end frees it. */
  public static void setAutoclear(int device, boolean on) throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment info = arena.allocate(INFO_SIZE, 8);
      int rc = (int) IOCTL.handle().invokeExact(capture, device, LOOP_GET_STATUS64, info);
      Libc.check(rc, "loop_get_status64", "", capture);
      int flags = info.get(JAVA_INT, INFO_FLAGS);
      info.set(JAVA_INT, INFO_FLAGS, on ? flags | LO_FLAGS_AUTOCLEAR : flags & ~LO_FLAGS_AUTOCLEAR);
      rc = (int) IOCTL.handle().invokeExact(capture, device, LOOP_SET_STATUS64, info);
      Libc.check(rc, "loop_set_status64", "", capture);
    } catch (Throwable t) {
      throw Libc.failure("loop_set_status64", t);
    }
  }
}

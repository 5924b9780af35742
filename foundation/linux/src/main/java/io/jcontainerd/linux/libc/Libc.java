package io.jcontainerd.linux.libc;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.VarHandle;

/**
 * What calls of the C library leave in {@code errno}. Each call takes a capture segment; one
 * segment belongs to one call on one thread, so that the number read is the number that call left.
 */
public final class Libc {
  private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = CAPTURE.varHandle(PathElement.groupElement("errno"));

  private Libc() {}

  /** A fresh capture segment for one call. */
  public static MemorySegment capture(Arena arena) {
    return arena.allocate(CAPTURE);
  }

  /** The error number that the call left in its capture segment. */
  public static int errno(MemorySegment capture) {
    return (int) ERRNO.get(capture, 0L);
  }

  /** Passes a result that is not negative; otherwise throws what the capture segment holds. */
  public static int check(int result, String call, String subject, MemorySegment capture)
      throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, subject, errno(capture));
    }
    return result;
  }

  /** Passes a result that is not negative; otherwise throws what the capture segment holds. */
  public static long check(long result, String call, String subject, MemorySegment capture)
      throws ErrnoException {
    if (result < 0) {
      throw new ErrnoException(call, subject, errno(capture));
    }
    return result;
  }
}

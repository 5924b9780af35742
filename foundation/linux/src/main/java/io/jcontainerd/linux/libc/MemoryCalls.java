package io.jcontainerd.linux.libc;

import static io.jcontainerd.linux.libc.CFunction.at;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.jcontainerd.linux.ErrnoException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** What this process takes of the machine. */
public final class MemoryCalls {
  private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
  private static final long TIMESPEC_SIZE = 16;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private static final CFunction CLOCK_GETTIME = new CFunction("clock_gettime");

  private MemoryCalls() {}

  /** clock_gettime(2) CLOCK_PROCESS_CPUTIME_ID, in nanoseconds. */
  public static long processCpuNanos() throws ErrnoException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment capture = Libc.capture(arena);
      MemorySegment time = arena.allocate(TIMESPEC_SIZE, 8);
      int rc = CLOCK_GETTIME.call(capture, CLOCK_PROCESS_CPUTIME_ID, at(time));
      Libc.check(rc, "clock_gettime", "of this process", capture);
      return time.get(JAVA_LONG, 0) * NANOS_PER_SECOND + time.get(JAVA_LONG, 8);
    }
  }
}

package io.jcontainerd.linux.memory;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.MemoryCalls;

/** What a process has had of the processors. */
@FunctionalInterface
interface ProcessorTime {
  /** This one. */
  ProcessorTime OF_THIS_PROCESS = MemoryCalls::processCpuNanos;

  /** Nanoseconds since the process began, of all its threads. */
  long nanos() throws ErrnoException;
}

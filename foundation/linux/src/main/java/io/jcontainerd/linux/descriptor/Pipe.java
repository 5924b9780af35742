package io.jcontainerd.linux.descriptor;

import io.jcontainerd.linux.ErrnoException;
import io.jcontainerd.linux.libc.DescriptorCalls;
import io.jcontainerd.linux.libc.PipeCalls;

/**
 * A pipe: what is written to one end comes out of the other.
 *
 * @param reading the end to read from
 * @param writing the end to write to
 */
public record Pipe(OwnedDescriptor reading, OwnedDescriptor writing) implements AutoCloseable {
  /** A new pipe with both ends close-on-exec and blocking. */
  public static Pipe open() throws ErrnoException {
    int[] ends = PipeCalls.pipe2(DescriptorCalls.O_CLOEXEC);
    return new Pipe(OwnedDescriptor.owning(ends[0]), OwnedDescriptor.owning(ends[1]));
  }

  @Override
  public void close() {
    try {
      reading.close();
    } finally {
      writing.close();
    }
  }
}

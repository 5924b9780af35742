package io.jcontainerd.diff;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;

/** Fails at the next write once its thread is interrupted. */
final class CancellableStream extends FilterOutputStream {
  CancellableStream(OutputStream out) {
    super(out);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    if (Thread.currentThread().isInterrupted()) {
      throw new InterruptedIOException("interrupted");
    }
    out.write(bytes, offset, length);
  }
}

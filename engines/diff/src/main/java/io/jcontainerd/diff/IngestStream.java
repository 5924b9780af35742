package io.jcontainerd.diff;

import io.jcontainerd.core.content.Ingest;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/** An ingest written to as a stream. Counts; closing it leaves the ingest alone. */
final class IngestStream extends OutputStream {
  private final Ingest ingest;
  private long size;

  IngestStream(Ingest ingest) {
    this.ingest = ingest;
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    ingest.write(ByteBuffer.wrap(bytes, offset, length));
    size += length;
  }

  long size() {
    return size;
  }
}

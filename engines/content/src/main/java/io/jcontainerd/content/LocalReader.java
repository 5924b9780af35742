package io.jcontainerd.content;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A blob's file, open. */
final class LocalReader implements ContentReader {
  private final Digest digest;
  private final Files.Handle file;
  private final long size;

  LocalReader(Digest digest, Files.Handle file) throws IOException {
    this.digest = digest;
    this.file = file;
    this.size = file.size();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public int read(ByteBuffer into, long position) {
    try {
      return position >= size ? -1 : file.read(into, position);
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": read at " + position, e);
    }
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw IoFailures.of("content " + digest + ": close", e);
    }
  }
}

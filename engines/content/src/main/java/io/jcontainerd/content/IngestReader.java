package io.jcontainerd.content;

import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.ports.Files;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The file of an ingest, open, with a descriptor of its own. */
final class IngestReader implements ContentReader {
  private final String ref;
  private final Files.Handle file;

  IngestReader(String ref, Files.Handle file) {
    this.ref = ref;
    this.file = file;
  }

  @Override
  public long size() {
    try {
      return file.size();
    } catch (IOException e) {
      throw IoFailures.of("ingest ref " + ref, e);
    }
  }

  @Override
  public int read(ByteBuffer into, long position) {
    try {
      return file.read(into, position);
    } catch (IOException e) {
      throw IoFailures.of("ingest ref " + ref + ": read at " + position, e);
    }
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw IoFailures.of("ingest ref " + ref + ": close", e);
    }
  }
}

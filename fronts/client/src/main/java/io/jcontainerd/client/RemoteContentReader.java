package io.jcontainerd.client;

import io.jcontainerd.core.content.ContentInfo;
import io.jcontainerd.core.content.ContentReader;
import java.nio.ByteBuffer;

/** Reads pieces of a blob, a call each. The daemon keeps nothing open meanwhile. */
final class RemoteContentReader implements ContentReader {
  private static final int LARGEST = 1 << 20;

  private final RemoteContentStore store;
  private final ContentInfo info;

  RemoteContentReader(RemoteContentStore store, ContentInfo info) {
    this.store = store;
    this.info = info;
  }

  @Override
  public long size() {
    return info.size();
  }

  @Override
  public int read(ByteBuffer into, long position) {
    if (position >= info.size()) {
      return -1;
    }
    long wanted = Math.min(Math.min(into.remaining(), LARGEST), info.size() - position);
    byte[] bytes = new byte[Math.toIntExact(wanted)];
    try (ContentInputStream in =
        new ContentInputStream(store.read(info.digest(), position, wanted))) {
      int count = 0;
      int more = 0;
      while (count < bytes.length && more >= 0) {
        count += more;
        more = in.read(bytes, count, bytes.length - count);
      }
      into.put(bytes, 0, count);
      return count == 0 ? -1 : count;
    }
  }

  @Override
  public void close() {}
}

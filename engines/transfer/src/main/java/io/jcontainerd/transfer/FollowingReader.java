package io.jcontainerd.transfer;

import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.transfer.flow.Slots;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A blob that is read behind those who write it. Who waits for bytes keeps no place among those who
 * unpack, and gets one after those whose blobs are complete. Read by one thread; closed when that
 * has ended.
 */
final class FollowingReader implements ContentReader {
  /** So many bytes are worth waking up for. */
  private static final long WORTH = 256 << 10;

  private final ContentReader written;
  private final Comings.Coming coming;
  private final Slots slots;
  private final long priority;
  private final long size;
  private Slots.@Nullable Slot slot;

  /**
   * @param written what the ingest has; closed with this
   * @param slots of those who unpack
   * @param priority in these
   * @param size of the whole blob
   */
  FollowingReader(
      ContentReader written, Comings.Coming coming, Slots slots, long priority, long size) {
    this.written = written;
    this.coming = coming;
    this.slots = slots;
    this.priority = priority;
    this.size = size;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public int read(ByteBuffer into, long position) {
    if (position >= size) {
      return -1;
    }
    long there = there(position, into.remaining());
    ByteBuffer piece = into.duplicate();
    piece.limit(piece.position() + (int) Math.min(piece.remaining(), there - position));
    int count = written.read(piece, position);
    if (count < 0) {
      throw new UnavailableException("what came of the content is not there any more");
    }
    into.position(into.position() + count);
    return count;
  }

  private long there(long position, int room) {
    long worth = position + Math.min(Math.min(WORTH, room), size - position);
    try {
      long there = coming.reached();
      if (there < worth) {
        giveWay();
        there = coming.await(worth);
      }
      if (slot == null) {
        slot = slots.take(priority);
      }
      return there;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("waiting for content", e);
    }
  }

  private void giveWay() {
    Slots.Slot held = slot;
    if (held != null) {
      slot = null;
      held.close();
    }
  }

  @Override
  public void close() {
    giveWay();
    written.close();
  }
}

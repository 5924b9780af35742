package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;

/**
 * The times that folders must have in the end, when nothing is put into them any more.
 *
 * <p>A layer may have hundreds of thousands of folders, so they are kept as bytes: how much of the
 * path is that of the folder before, the rest of it, and the times. A folder that is noted again is
 * told again; what was noted last is told last. For one thread.
 */
final class FolderTimes {
  private static final int FIXED = 2 * Short.BYTES + 2 * (Long.BYTES + Integer.BYTES);

  private ByteBuffer notes = ByteBuffer.allocate(1024);
  private byte[] last = {};
  private int mostBytes = Integer.MAX_VALUE - Long.BYTES;

  /** What is done with one folder. */
  @FunctionalInterface
  interface Each {
    void folder(RawPath path, Instant accessed, Instant modified) throws IOException;
  }

  /** From now on, no more is remembered than takes so many bytes; else, all that an array holds. */
  void atMost(int bytes) {
    mostBytes = bytes;
  }

  /**
   * Notes the times of a folder.
   *
   * @throws EntryException if there are too many folders to remember
   */
  void put(RawPath path, Instant accessed, Instant modified) throws EntryException {
    byte[] bytes = path.bytes();
    int differs = Arrays.mismatch(last, bytes);
    int shared = differs < 0 ? bytes.length : differs;
    grow(FIXED + bytes.length - shared, path);
    notes.putShort((short) shared).putShort((short) (bytes.length - shared));
    notes.put(bytes, shared, bytes.length - shared);
    notes.putLong(accessed.getEpochSecond()).putInt(accessed.getNano());
    notes.putLong(modified.getEpochSecond()).putInt(modified.getNano());
    last = bytes;
  }

  private void grow(int more, RawPath path) throws EntryException {
    if (notes.remaining() >= more) {
      return;
    }
    long needed = (long) notes.position() + more;
    if (needed > mostBytes) {
      throw new EntryException("entry \"" + path.shown() + "\": too many folders in one layer");
    }
    int size = (int) Math.min(mostBytes, needed + notes.capacity() / 2);
    notes = ByteBuffer.allocate(size).put(notes.flip());
  }

  /** Tells all, in the order in which they were noted. */
  void each(Each each) throws IOException {
    ByteBuffer from = notes.duplicate().flip();
    byte[] path = {};
    while (from.hasRemaining()) {
      int shared = from.getShort();
      int rest = from.getShort();
      path = Arrays.copyOf(path, shared + rest);
      from.get(path, shared, rest);
      Instant accessed = Instant.ofEpochSecond(from.getLong(), from.getInt());
      Instant modified = Instant.ofEpochSecond(from.getLong(), from.getInt());
      each.folder(RawPath.of(path), accessed, modified);
    }
  }
}

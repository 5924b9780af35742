package io.jcontainerd.core.check;

import io.jcontainerd.core.Digest;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** The blobs of a content store as files, which can be compared with their names. */
public interface CheckedBlobs {
  /**
   * Compares a blob. What keeps it from being read for now, such as too many open files, is no
   * damage but thrown.
   *
   * @param size that it should have, if that is known
   * @param deep whether its bytes are read
   */
  void check(Digest digest, OptionalLong size, boolean deep, Pace pace, Consumer<TreeDamage> each)
      throws InterruptedException;

  /** Gives a blob the owner and mode that it should have. */
  void dress(Digest digest);

  /**
   * Sets a damaged blob aside: it is not served any more, and can be brought again. What was set
   * aside of that digest before is deleted.
   */
  void setAside(Digest digest);

  /** Undoes {@link #setAside}; harmless if nothing was set aside or there is a new blob. */
  void putBack(Digest digest);

  /** What was set aside. */
  List<Digest> aside();

  /** Deletes what was set aside; harmless if there is nothing. */
  void deleteAside(Digest digest);
}

package io.jcontainerd.core.check;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The committed snapshots of a snapshotter, which can be compared with what was recorded of each
 * when it was committed, and put right in place. Safe for many threads; that no two heal the same
 * layer is the caller's care.
 */
public interface CheckedTrees {
  /**
   * A committed snapshot.
   *
   * @param key in the backend
   * @param parent in the backend; empty for none
   * @param committed when
   * @param recorded whether there is something to compare with
   * @param source the blob that it was unpacked from, where that is all it holds
   */
  record Layer(
      String key, String parent, Instant committed, boolean recorded, Optional<Source> source) {}

  /**
   * Where a layer came from.
   *
   * @param blob its media type and digest; the size may be unknown and 0
   * @param diffId the digest without compression
   */
  record Source(Descriptor blob, Digest diffId) {}

  /** Puts a layer into an empty tree. */
  @FunctionalInterface
  interface Unpack {
    /** Unpacks exactly the layer, or fails. */
    void into(List<Mount> mounts) throws IOException;
  }

  /** All of them, in order of key. */
  List<Layer> layers();

  /** The keys of all snapshots, active ones and views among them. */
  Set<String> keys();

  /** One of them, if it is there. */
  Optional<Layer> layer(String key);

  /**
   * Compares a layer with what was recorded.
   *
   * @param deep whether the files' bytes are read
   * @return how many things were compared; 0 if nothing was recorded
   */
  long check(String key, boolean deep, Pace pace, Consumer<TreeDamage> each)
      throws InterruptedException;

  /**
   * Puts right what differs, in place; files that are as they should be are not touched.
   *
   * @param unpack makes the layer again beside, if bytes are needed that nothing else tells; empty
   *     if that is impossible
   * @return what is still wrong
   */
  List<TreeDamage> heal(String key, Optional<Unpack> unpack) throws InterruptedException;

  /** Records a layer as it is now, for one of which nothing was recorded. */
  void record(String key, Pace pace) throws InterruptedException;
}

package io.jcontainerd.core.snapshots;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Trees of files that stand on each other.
 *
 * <p>A snapshot begins as active (writable) or as a view (read-only) on a committed parent or on
 * nothing. An active one can be committed: it gets a name, becomes immutable and may be a parent.
 * Keys of active snapshots and views and names of committed ones share one space. A snapshot with
 * children cannot be removed.
 *
 * <p>A namespaced snapshotter shows and changes only what belongs to the namespace of the current
 * {@link io.jcontainerd.core.Call}; a backend knows no namespaces. Safe for many threads.
 */
public interface Snapshotter extends AutoCloseable {
  /**
   * Makes an active snapshot.
   *
   * @param key its name while active
   * @param parent a committed snapshot; empty for none
   * @throws io.jcontainerd.core.failure.AlreadyExistsException if the key is taken
   * @throws io.jcontainerd.core.failure.NotFoundException if the parent is missing
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if the parent is not committed
   */
  Prepared prepare(String key, String parent, Map<String, String> labels);

  /**
   * Makes a view; fails as {@link #prepare} does.
   *
   * @return mount these and read
   */
  List<Mount> view(String key, String parent, Map<String, String> labels);

  /** The mounts of an active snapshot or view. */
  List<Mount> mounts(String key);

  /**
   * Turns an active snapshot into a committed one, freeing its key.
   *
   * @param parent the new parent, where the capability {@code rebase} allows it; empty keeps it
   */
  void commit(String name, String key, Map<String, String> labels, String parent);

  /**
   * Returns once everything that was committed before the call survives a power cut. Whoever keeps
   * commits durable at once has nothing to do.
   *
   * @throws io.jcontainerd.core.failure.ContainerdException if that is not possible; what could not
   *     be saved is then {@link #lost}
   */
  default void makeDurable() {}

  /**
   * Names and keys of snapshots that are gone although nobody removed them: they were committed and
   * not yet durable when the machine went down, or stood on such. Told until {@link #forgetLost}.
   */
  default Set<String> lost() {
    return Set.of();
  }

  /** Whoever recorded these names has forgotten them too. */
  default void forgetLost(Set<String> names) {}

  /**
   * Removes a snapshot.
   *
   * @throws io.jcontainerd.core.failure.FailedPreconditionException if it has children
   */
  void remove(String key);

  /** What is known of the snapshot. */
  SnapshotInfo stat(String key);

  /** Changes labels; the rest of the info only names the snapshot. */
  SnapshotInfo update(SnapshotInfo info, FieldMask mask);

  /** Shows every snapshot that the filter matches, in order of name. */
  void walk(Filter filter, Consumer<SnapshotInfo> each);

  /** Measured for active snapshots, recorded for committed ones. */
  Usage usage(String key);

  /** Removes what deleted snapshots left on disk. */
  void cleanup();

  /** Words such as {@code rebase} or {@code remap-ids}. */
  Set<String> capabilities();

  /** Facts for clients, such as {@code root}. */
  Map<String, String> exports();

  @Override
  void close();
}

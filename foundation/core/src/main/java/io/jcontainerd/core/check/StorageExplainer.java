package io.jcontainerd.core.check;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Explains what is stored and why. Safe for many threads. */
public interface StorageExplainer {
  /**
   * A thing and why the one before it in a chain keeps it.
   *
   * @param kind such as {@code image}
   * @param name of it
   * @param because such as {@code its target}; of the first, why it stays itself
   */
  record Link(String kind, String name, String because) {}

  /**
   * Why something stays.
   *
   * @param namespace whose it is
   * @param kind {@code content} or {@code snapshot}
   * @param name a digest or {@code SNAPSHOTTER/KEY}
   * @param chain from a root to it; empty if nothing keeps it
   * @param until when the root expires, if it does
   * @param end what happens when, for one that nothing keeps
   */
  record Kept(
      String namespace,
      String kind,
      String name,
      List<Link> chain,
      Optional<Instant> until,
      String end) {
    /** Copies the chain. */
    public Kept {
      chain = List.copyOf(chain);
    }
  }

  /**
   * What an image or container takes.
   *
   * @param namespace whose it is
   * @param kind {@code image} or {@code container}
   * @param name of it
   * @param contentBytes of blobs
   * @param snapshotBytes of snapshots
   * @param uniqueBytes what would be free without it
   * @param sharedBytes what others use, too
   */
  record Usage(
      String namespace,
      String kind,
      String name,
      long contentBytes,
      long snapshotBytes,
      long uniqueBytes,
      long sharedBytes) {}

  /**
   * What all take.
   *
   * @param each in order of namespace, kind and name
   * @param contentBytes of all blobs
   * @param snapshotBytes of all snapshots
   * @param unusedBytes what no image and no container uses
   */
  record DiskUsage(List<Usage> each, long contentBytes, long snapshotBytes, long unusedBytes) {
    /** Copies the list. */
    public DiskUsage {
      each = List.copyOf(each);
    }
  }

  /**
   * Why something stays, once for each namespace that has it.
   *
   * @param name a digest, the beginning of one, a snapshot's key, or {@code SNAPSHOTTER/KEY}
   * @throws io.jcontainerd.core.failure.NotFoundException if there is no such thing
   * @throws io.jcontainerd.core.failure.InvalidArgumentException if the name is too short to tell
   */
  List<Kept> whyKept(String name);

  /** What each image and container takes. */
  DiskUsage diskUsage();
}

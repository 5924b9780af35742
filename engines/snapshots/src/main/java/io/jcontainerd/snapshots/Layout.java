package io.jcontainerd.snapshots;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.SnapshotKind;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongFunction;

/** What distinguishes one snapshotter of folders from another. Safe for many threads. */
interface Layout {
  /**
   * A snapshot, seen by its layout.
   *
   * @param kind what it can be used for
   * @param id the number of its folder
   * @param parents ids of what it stands on, nearest first
   * @param labels its labels
   * @param folders the folder of an id
   */
  record Place(
      SnapshotKind kind,
      long id,
      List<Long> parents,
      Map<String, String> labels,
      LongFunction<Path> folders) {
    Path folder() {
      return folders.apply(id);
    }
  }

  /**
   * Makes the snapshot's folder. Half-made folders are removed by the caller.
   *
   * @return whether it holds copies that must be synchronised before they are relied on
   */
  boolean make(Place place) throws IOException;

  /** Makes again what a power cut may have taken from an active snapshot or view. */
  void heal(Place place) throws IOException;

  /** How to mount it. */
  List<Mount> mounts(Place place);

  /** The part of the folder whose usage counts. */
  Path measured(Path folder);

  /** Labels that others see beside the recorded ones. */
  Map<String, String> shownLabels(Path folder);

  /** What the snapshotter can do. */
  Set<String> capabilities();
}

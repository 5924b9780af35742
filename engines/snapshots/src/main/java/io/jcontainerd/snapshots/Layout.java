package io.jcontainerd.snapshots;

import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongFunction;

/** What distinguishes one snapshotter from another. Safe for many threads. */
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
  List<Mount> mounts(Place place) throws IOException;

  /** What it takes beyond what it stands on. */
  Usage usage(Place place) throws IOException;

  /**
   * An active snapshot that was made on nothing is going to stand on parents: what it would have
   * taken over from them, had it been made on them, it takes over now. May be done twice.
   *
   * @param active with its new parents
   */
  default void rebase(Place active) throws IOException {}

  /**
   * Gives an active snapshot the form in which others can stand on it. It stays as it was until the
   * commit is recorded; {@link Shelf#settle} then removes one of the two forms.
   *
   * @return what the committed snapshot takes
   */
  default Usage seal(Place active) throws IOException {
    return usage(active);
  }

  /** The labels that a new snapshot gets. */
  default Map<String, String> labels(Place place) throws IOException {
    return place.labels();
  }

  /**
   * The folder that holds exactly what a snapshot adds, so that it can be recorded and put right in
   * place; empty where snapshots have another form.
   */
  default Optional<Path> tree(Path folder) {
    return Optional.empty();
  }

  /** Labels that others see beside the recorded ones. */
  Map<String, String> shownLabels(Path folder);

  /** What the snapshotter can do. */
  Set<String> capabilities();
}

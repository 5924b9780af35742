package io.jcontainerd.metadata;

import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.List;

/** Removes from the tables what a backend has lost, as if it had been removed. */
final class LostSnapshots {
  private LostSnapshots() {}

  /** A snapshot's place in the tables. */
  record Place(String namespace, String key) {}

  /**
   * Forgets a snapshot of the backend, whatever it was called, and what a commit made of it.
   *
   * @return where it was
   */
  static List<Place> forget(
      WriteTransaction tx, String snapshotter, String backendKey, Instant now) {
    List<Place> places =
        tx.all(
            "SELECT namespace, key FROM snapshots WHERE snapshotter = ?1 AND backend_key = ?2"
                + " UNION SELECT namespace, key FROM snapshot_commits"
                + " WHERE snapshotter = ?1 AND backend_name = ?2",
            row -> new Place(row.text(0), row.text(1)),
            snapshotter,
            backendKey);
    places.forEach(place -> forget(tx, snapshotter, place, now));
    return places;
  }

  private static void forget(WriteTransaction tx, String snapshotter, Place place, Instant now) {
    PendingCommit.drop(tx, place.namespace(), snapshotter, place.key());
    tx.update(
        "DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?",
        place.namespace(),
        snapshotter,
        place.key());
    tx.update(
        "DELETE FROM lease_resources WHERE namespace = ? AND type = ? AND id = ?",
        place.namespace(),
        StoredLeases.snapshots(snapshotter),
        place.key());
    new Notices(tx, Times.nanos(now), place.namespace()).snapshotRemoved(snapshotter, place.key());
  }
}

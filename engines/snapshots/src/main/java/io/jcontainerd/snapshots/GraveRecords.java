package io.jcontainerd.snapshots;

import io.jcontainerd.store.WriteTransaction;
import java.util.ArrayList;
import java.util.List;

/** Snapshots that are removed, and whose folders are not yet. Safe for many threads. */
final class GraveRecords {
  private final SnapshotRecords records;
  private final String name;

  GraveRecords(SnapshotRecords records, String name) {
    this.records = records;
    this.name = name;
  }

  /** Notes that the folder of the id is to be deleted. */
  static void dig(WriteTransaction transaction, String name, long id) {
    transaction.update("INSERT INTO backend_snapshot_graves VALUES (?, ?)", name, id);
  }

  /** Ids whose folders are still to be deleted. */
  List<Long> all() {
    return records.read(
        transaction ->
            transaction.all(
                "SELECT id FROM backend_snapshot_graves WHERE snapshotter = ? ORDER BY id",
                row -> row.number(0),
                name));
  }

  /** Forgets graves whose folders are deleted. */
  void level(List<Long> ids) {
    var copy = new ArrayList<>(ids);
    if (copy.isEmpty()) {
      return;
    }
    var _ =
        records.writeToFree(
            transaction -> {
              for (long id : copy) {
                transaction.update(
                    "DELETE FROM backend_snapshot_graves WHERE snapshotter = ? AND id = ?",
                    name,
                    id);
              }
              return copy.size();
            });
  }
}

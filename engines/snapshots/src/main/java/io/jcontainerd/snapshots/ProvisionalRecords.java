package io.jcontainerd.snapshots;

import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.WriteTransaction;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which records of a snapshotter are provisional: their files were not synchronised yet, so they
 * hold only as long as the machine runs. Each is noted with the boot in which it was made; after
 * another boot, or after a synchronisation that failed, it is lost with all that stands on it.
 *
 * <p>A record is provisional from the transaction that makes it until the one that says that a
 * synchronisation which began later has succeeded. Children are recorded after their parents, so
 * nothing durable ever stands on something provisional. Safe for many threads.
 */
final class ProvisionalRecords {
  private final SnapshotRecords records;
  private final String name;

  ProvisionalRecords(SnapshotRecords records, String name) {
    this.records = records;
    this.name = name;
  }

  /** Notes a record as provisional, or, without a boot, as durable. */
  static void note(WriteTransaction tx, String name, long id, @Nullable String boot) {
    if (boot == null) {
      forget(tx, name, id);
    } else {
      tx.update("INSERT OR REPLACE INTO backend_snapshot_boots VALUES (?, ?, ?)", name, id, boot);
    }
  }

  /** Forgets the note on a record that is removed. */
  static void forget(WriteTransaction tx, String name, long id) {
    tx.update("DELETE FROM backend_snapshot_boots WHERE snapshotter = ? AND id = ?", name, id);
  }

  /** Whether the record is provisional. */
  boolean has(long id) {
    return records.read(
        tx ->
            tx.exists(
                "SELECT 1 FROM backend_snapshot_boots WHERE snapshotter = ? AND id = ?", name, id));
  }

  /** The committed snapshots that are provisional. */
  List<Long> committed() {
    return records.read(
        tx ->
            tx.all(
                "SELECT b.id FROM backend_snapshot_boots b JOIN backend_snapshots s"
                    + " ON s.snapshotter = b.snapshotter AND s.id = b.id"
                    + " WHERE b.snapshotter = ? AND s.kind = 3",
                row -> row.number(0),
                name));
  }

  /** A synchronisation that began after these were committed has succeeded. */
  void settle(List<Long> ids) {
    records.write(
        tx -> {
          ids.forEach(id -> forget(tx, name, id));
          return ids.size();
        });
  }

  /**
   * Removes what was made in another boot, and all that stands on it; it can be asked for with
   * {@link #lost}.
   *
   * @return the names of what was removed
   */
  List<String> loseOthers(String boot) {
    Which others =
        tx ->
            tx.all(
                "SELECT id FROM backend_snapshot_boots WHERE snapshotter = ? AND boot != ?",
                row -> row.number(0),
                name,
                boot);
    return records.read(others::in).isEmpty() ? List.of() : lose(others);
  }

  /** Removes these, and all that stands on them; as {@link #loseOthers}. */
  List<String> lose(List<Long> ids) {
    return lose(_ -> ids);
  }

  /** Finds ids. */
  @FunctionalInterface
  private interface Which {
    List<Long> in(ReadTransaction tx);
  }

  private List<String> lose(Which which) {
    return records.writeToFree(
        tx -> {
          Set<Long> doomed = new HashSet<>();
          which.in(tx).forEach(id -> addWithChildren(tx, id, doomed));
          return doomed.stream().map(id -> lose(tx, id)).flatMap(List::stream).sorted().toList();
        });
  }

  private void addWithChildren(ReadTransaction tx, long id, Set<Long> doomed) {
    if (doomed.add(id)) {
      tx.all(
              "SELECT id FROM backend_snapshots WHERE snapshotter = ? AND parent = ?",
              row -> row.number(0),
              name,
              id)
          .forEach(child -> addWithChildren(tx, child, doomed));
    }
  }

  private List<String> lose(WriteTransaction tx, long id) {
    List<String> keys =
        tx.all(
            "SELECT key FROM backend_snapshots WHERE snapshotter = ? AND id = ?",
            row -> row.text(0),
            name,
            id);
    for (String key : keys) {
      records.erase(tx, key, id);
      tx.update("INSERT OR IGNORE INTO backend_snapshot_losses VALUES (?, ?)", name, key);
    }
    forget(tx, name, id); // of a record that was gone
    return keys;
  }

  /** Names of what was lost and not yet forgotten. */
  Set<String> lost() {
    return Set.copyOf(
        records.read(
            tx ->
                tx.all(
                    "SELECT key FROM backend_snapshot_losses WHERE snapshotter = ?",
                    row -> row.text(0),
                    name)));
  }

  /** Forgets losses. */
  void forgetLost(Set<String> keys) {
    records.writeToFree(
        tx -> {
          for (String key : keys) {
            tx.update(
                "DELETE FROM backend_snapshot_losses WHERE snapshotter = ? AND key = ?", name, key);
          }
          return keys.size();
        });
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.check.CheckedTrees.Source;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What the records of one snapshotter tell of the trees of its layers. Safe for many threads. */
final class SealRecords {
  private static final String SEAL =
      "SELECT id, sum, entries, complete, media_type, blob, diff_id"
          + " FROM backend_snapshot_manifests";

  private final SnapshotRecords records;
  private final String name;

  SealRecords(SnapshotRecords records, String name) {
    this.records = records;
    this.name = name;
  }

  /** Records what the tree of a snapshot was when it was committed. */
  static void put(WriteTransaction transaction, String name, long id, Seal seal) {
    transaction.update(
        "INSERT OR REPLACE INTO backend_snapshot_manifests VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        name,
        id,
        seal.sum(),
        seal.entries(),
        seal.complete() ? 1 : 0,
        seal.source().map(source -> source.blob().mediaType()).orElse(""),
        seal.source().map(source -> source.blob().digest().toString()).orElse(""),
        seal.source().map(source -> source.diffId().toString()).orElse(""));
  }

  /** Forgets what was recorded of a snapshot that is removed. */
  static void forget(WriteTransaction transaction, String name, long id) {
    transaction.update(
        "DELETE FROM backend_snapshot_manifests WHERE snapshotter = ? AND id = ?", name, id);
  }

  private static Seal seal(Row row) {
    Optional<Source> source =
        row.text(5).isEmpty()
            ? Optional.empty()
            : Optional.of(
                new Source(
                    new Descriptor(row.text(4), Digest.parse(row.text(5)), 0),
                    Digest.parse(row.text(6))));
    return new Seal(row.number(1), row.number(2), row.number(3) != 0, source);
  }

  /** What is recorded of the trees of committed snapshots, by id. */
  Map<Long, Seal> all() {
    return records.read(
        transaction -> {
          var seals = new HashMap<Long, Seal>();
          transaction.each(
              SEAL + " WHERE snapshotter = ?", row -> seals.put(row.number(0), seal(row)), name);
          return seals;
        });
  }

  /** What is recorded of the tree of one. */
  Optional<Seal> find(long id) {
    return records.read(
        transaction ->
            transaction.first(
                SEAL + " WHERE snapshotter = ? AND id = ?", SealRecords::seal, name, id));
  }

  /** Replaces what is recorded of a tree, if the snapshot is still there. */
  boolean replace(long id, Seal seal) {
    return records.write(
        transaction -> {
          boolean there =
              transaction.exists(
                  "SELECT 1 FROM backend_snapshots WHERE snapshotter = ? AND id = ?", name, id);
          if (there) {
            put(transaction, name, id, seal);
          }
          return there;
        });
  }
}

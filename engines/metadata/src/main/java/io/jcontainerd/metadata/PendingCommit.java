package io.jcontainerd.metadata;

import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A commit that was announced in the tables and is not ended.
 *
 * @param key the active snapshot
 * @param name what it is to become
 * @param backendName the same in the backend
 * @param parent what it is to stand on; empty for nothing
 * @param lease what gets it
 */
record PendingCommit(
    String namespace,
    String snapshotter,
    String key,
    String name,
    String backendName,
    String parent,
    Map<String, String> labels,
    Optional<String> lease) {
  private static final String SELECT =
      "SELECT namespace, snapshotter, key, name, backend_name, parent, labels, lease"
          + " FROM snapshot_commits WHERE snapshotter = ?";

  PendingCommit {
    labels = Map.copyOf(labels);
  }

  private static PendingCommit read(Row row) {
    return new PendingCommit(
        row.text(0),
        row.text(1),
        row.text(2),
        row.text(3),
        row.text(4),
        row.text(5),
        LabelText.read(row.text(6)),
        Optional.ofNullable(row.textOrNull(7)));
  }

  /** All of a snapshotter. */
  static List<PendingCommit> all(ReadTransaction tx, String snapshotter) {
    return tx.all(SELECT, PendingCommit::read, snapshotter);
  }

  /** That of an active snapshot. */
  static Optional<PendingCommit> find(
      ReadTransaction tx, String namespace, String snapshotter, String key) {
    return tx.first(
        SELECT + " AND namespace = ? AND key = ?",
        PendingCommit::read,
        snapshotter,
        namespace,
        key);
  }

  /** The key of the active snapshot that a name is promised to. */
  static Optional<String> promisedTo(
      ReadTransaction tx, String namespace, String snapshotter, String name) {
    return tx.first(
        "SELECT key FROM snapshot_commits WHERE namespace = ? AND snapshotter = ? AND name = ?",
        row -> row.text(0),
        namespace,
        snapshotter,
        name);
  }

  /** Whether a commit will stand on the snapshot. */
  static boolean standsOn(ReadTransaction tx, String namespace, String snapshotter, String parent) {
    return tx.exists(
        "SELECT 1 FROM snapshot_commits WHERE namespace = ? AND snapshotter = ? AND parent = ?",
        namespace,
        snapshotter,
        parent);
  }

  void insert(WriteTransaction tx) {
    tx.update(
        "INSERT INTO snapshot_commits(namespace, snapshotter, key, name, backend_name, parent,"
            + " labels, lease) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        namespace,
        snapshotter,
        key,
        name,
        backendName,
        parent,
        LabelText.write(labels),
        lease.orElse(null));
  }

  /** Whether it is still announced. */
  boolean stands(ReadTransaction tx) {
    return find(tx, namespace, snapshotter, key)
        .filter(there -> there.backendName().equals(backendName))
        .isPresent();
  }

  void delete(WriteTransaction tx) {
    tx.update(
        "DELETE FROM snapshot_commits WHERE snapshotter = ? AND backend_name = ?",
        snapshotter,
        backendName);
  }

  /** The active snapshot goes: so does what its commit may have made of it. */
  static void drop(WriteTransaction tx, String namespace, String snapshotter, String key) {
    find(tx, namespace, snapshotter, key)
        .ifPresent(
            pending -> {
              pending.delete(tx);
              Condemned.snapshot(tx, snapshotter, pending.backendName());
            });
  }
}

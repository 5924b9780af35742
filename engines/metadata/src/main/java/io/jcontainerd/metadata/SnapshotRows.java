package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The table of one snapshotter's snapshots. A key of a namespace is {@code NAMESPACE/NUMBER/KEY} in
 * the backend.
 */
final class SnapshotRows {
  private static final String SELECT =
      "SELECT key, backend_key, parent, kind, labels, created_at, updated_at"
          + " FROM snapshots WHERE namespace = ? AND snapshotter = ?";

  private final String name;

  /**
   * @param name the snapshotter's
   */
  SnapshotRows(String name) {
    this.name = name;
  }

  /** A snapshot's row. */
  record Known(String backendKey, SnapshotInfo info) {}

  private static Known known(Row row) {
    return new Known(
        row.text(1),
        new SnapshotInfo(
            SnapshotKind.valueOf(row.text(3).toUpperCase(Locale.ROOT)),
            row.text(0),
            row.text(2),
            LabelText.read(row.text(4)),
            Times.instant(row.number(5)),
            Times.instant(row.number(6))));
  }

  Optional<Known> find(ReadTransaction tx, String namespace, String key) {
    return tx.first(SELECT + " AND key = ?", SnapshotRows::known, namespace, name, key);
  }

  Known get(ReadTransaction tx, String namespace, String key) {
    return find(tx, namespace, key).orElseThrow(() -> notFound(key));
  }

  static NotFoundException notFound(String key) {
    return new NotFoundException("snapshot " + key);
  }

  static NotFoundException noParent(String parent) {
    return new NotFoundException(
        "parent snapshot " + parent + " does not exist, unpack the layers below first");
  }

  /** All of a namespace, in the order of their keys. */
  List<Known> all(ReadTransaction tx, String namespace) {
    return tx.all(SELECT + " ORDER BY key", SnapshotRows::known, namespace, name);
  }

  /** The parent's key in the backend. */
  String parent(ReadTransaction tx, String namespace, String parent) {
    Known known = find(tx, namespace, parent).orElseThrow(() -> noParent(parent));
    if (known.info().kind() != SnapshotKind.COMMITTED) {
      throw new FailedPreconditionException("parent snapshot " + parent + " is not committed");
    }
    return known.backendKey();
  }

  /** Whether another stands on it. */
  boolean hasChild(ReadTransaction tx, String namespace, String key) {
    return tx.exists(
        "SELECT 1 FROM snapshots WHERE namespace = ? AND snapshotter = ? AND parent = ? LIMIT 1",
        namespace,
        name,
        key);
  }

  /** Whether there is one, or a commit has announced one. */
  boolean isTaken(ReadTransaction tx, String namespace, String key) {
    return find(tx, namespace, key).isPresent()
        || PendingCommit.promisedTo(tx, namespace, name, key).isPresent();
  }

  void insert(WriteTransaction tx, String namespace, Known snapshot) {
    SnapshotInfo info = snapshot.info();
    tx.update(
        "INSERT INTO snapshots(namespace, snapshotter, key, backend_key, parent, kind, labels,"
            + " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        namespace,
        name,
        info.name(),
        snapshot.backendKey(),
        info.parent(),
        info.kind().name().toLowerCase(Locale.ROOT),
        LabelText.write(info.labels()),
        Times.nanos(info.createdAt()),
        Times.nanos(info.updatedAt()));
  }

  void updateLabels(
      WriteTransaction tx, String namespace, String key, Map<String, String> labels, Instant now) {
    tx.update(
        "UPDATE snapshots SET labels = ?, updated_at = ?"
            + " WHERE namespace = ? AND snapshotter = ? AND key = ?",
        LabelText.write(labels),
        Times.nanos(now),
        namespace,
        name,
        key);
  }

  void delete(WriteTransaction tx, String namespace, String key) {
    tx.update(
        "DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?",
        namespace,
        name,
        key);
  }

  /** Gives it to the call's lease, if that has one. */
  void attach(WriteTransaction tx, Call call, String key) {
    StoredLeases.attach(tx, call.namespace(), call.lease(), StoredLeases.snapshots(name), key);
  }

  /** Takes it from the call's lease. */
  void detach(WriteTransaction tx, Call call, String key) {
    StoredLeases.detach(tx, call.namespace(), call.lease(), StoredLeases.snapshots(name), key);
  }

  /** Gives an existing snapshot to the call's lease; returns whether there is one. */
  boolean leaseExisting(Database database, Call call, String key) {
    if (database.read(tx -> find(tx, call.namespace(), key)).isEmpty()) {
      return false;
    }
    return call.lease().isEmpty()
        || database.write(
            tx -> {
              boolean there = find(tx, call.namespace(), key).isPresent();
              if (there) {
                attach(tx, call, key);
              }
              return there;
            });
  }

  /** A key for the backend that was never used before. */
  static String backendKey(Database database, String namespace, String key) {
    return namespace + "/" + database.nextNumber() + "/" + key;
  }

  /** The labels that a backend gets to see. */
  static Map<String, String> inherited(Map<String, String> labels) {
    Map<String, String> inherited = new HashMap<>();
    labels.forEach(
        (key, value) -> {
          if (key.equals(Labels.SNAPSHOT_REF) || key.startsWith(Labels.SNAPSHOT_PREFIX)) {
            inherited.put(key, value);
          }
        });
    return inherited;
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InternalException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.WriteTransaction;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The records of one snapshotter in the store. Safe for many threads. */
final class SnapshotRecords {
  private static final String SELECT =
      "SELECT s.id, s.kind, s.key, coalesce(p.key, ''), s.created_at, s.updated_at, s.size,"
          + " s.inodes FROM backend_snapshots s LEFT JOIN backend_snapshots p"
          + " ON p.snapshotter = s.snapshotter AND p.id = s.parent";
  private static final long NANOS = 1_000_000_000L;

  private final Store store;
  private final String name;
  private final Time time;

  SnapshotRecords(Store store, String name, Time time) {
    this.store = store;
    this.name = name;
    this.time = time;
  }

  <T> T read(Store.Read<T> body) {
    try {
      return store.read(body);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  <T> T write(Store.Write<T> body) {
    try {
      return store.write(body);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  <T> T writeToFree(Store.Write<T> body) {
    try {
      return store.writeToFree(body);
    } catch (StoreException e) {
      throw failure(e);
    }
  }

  private ContainerdException failure(StoreException e) {
    String text = "snapshotter " + name + ": " + e.getMessage();
    return switch (e.kind()) {
      case FULL -> new ResourceExhaustedException(text, e);
      case LOCKED, CLOSED, BUSY -> new UnavailableException(text, e);
      case INTERRUPTED -> new CancelledException(text, e);
      case CORRUPT, TOO_NEW, EVENTS_LOST, BROKEN, STATEMENT -> new InternalException(text, e);
    };
  }

  private long now() {
    Instant now = time.now();
    return now.getEpochSecond() * NANOS + now.getNano();
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(Math.floorDiv(nanos, NANOS), Math.floorMod(nanos, NANOS));
  }

  private static int number(SnapshotKind kind) {
    return switch (kind) {
      case VIEW -> 1;
      case ACTIVE -> 2;
      case COMMITTED -> 3;
    };
  }

  private static SnapshotKind kind(long number) {
    return switch ((int) number) {
      case 1 -> SnapshotKind.VIEW;
      case 2 -> SnapshotKind.ACTIVE;
      case 3 -> SnapshotKind.COMMITTED;
      default -> throw new InternalException("snapshot kind " + number);
    };
  }

  private SnapshotRecord record(Row row, Map<String, String> labels) {
    return new SnapshotRecord(
        row.number(0),
        new SnapshotInfo(
            kind(row.number(1)),
            row.text(2),
            row.text(3),
            labels,
            instant(row.number(4)),
            instant(row.number(5))),
        new Usage(row.number(6), row.number(7)));
  }

  private SnapshotRecord withLabels(ReadTransaction transaction, SnapshotRecord bare) {
    var labels = new HashMap<String, String>();
    transaction.each(
        "SELECT name, value FROM backend_snapshot_labels WHERE snapshotter = ? AND id = ?",
        row -> labels.put(row.text(0), row.text(1)),
        name,
        bare.id());
    SnapshotInfo info = bare.info();
    return new SnapshotRecord(
        bare.id(),
        new SnapshotInfo(
            info.kind(), info.name(), info.parent(), labels, info.createdAt(), info.updatedAt()),
        bare.recorded());
  }

  private Optional<SnapshotRecord> find(ReadTransaction transaction, String key) {
    return transaction
        .first(
            SELECT + " WHERE s.snapshotter = ? AND s.key = ?",
            row -> record(row, Map.of()),
            name,
            key)
        .map(bare -> withLabels(transaction, bare));
  }

  private SnapshotRecord get(ReadTransaction transaction, String key) {
    return find(transaction, key)
        .orElseThrow(() -> new NotFoundException("snapshot \"" + key + "\""));
  }

  /** The record, if there is one. */
  Optional<SnapshotRecord> find(String key) {
    return read(transaction -> find(transaction, key));
  }

  /** The record. */
  SnapshotRecord get(String key) {
    return read(transaction -> get(transaction, key));
  }

  /** A record and the ids of what it stands on, nearest first. */
  record Standing(SnapshotRecord record, List<Long> parents) {}

  /** The record with its parents. */
  Standing standing(String key) {
    return read(
        transaction -> {
          SnapshotRecord record = get(transaction, key);
          return new Standing(record, parents(transaction, record.info().parent()));
        });
  }

  /** The ids of a committed snapshot and all below it, nearest first; none for the empty name. */
  List<Long> standOn(String parent) {
    return read(
        transaction -> {
          checkParent(transaction, parent);
          return parents(transaction, parent);
        });
  }

  private List<Long> parents(ReadTransaction transaction, String parent) {
    if (parent.isEmpty()) {
      return List.of();
    }
    return transaction.all(
        "WITH RECURSIVE chain(depth, id, parent) AS ("
            + "SELECT 0, id, parent FROM backend_snapshots WHERE snapshotter = ?1 AND key = ?2"
            + " UNION ALL SELECT c.depth + 1, s.id, s.parent FROM chain c"
            + " JOIN backend_snapshots s ON s.snapshotter = ?1 AND s.id = c.parent)"
            + " SELECT id FROM chain ORDER BY depth",
        row -> row.number(0),
        name,
        parent);
  }

  private long checkParent(ReadTransaction transaction, String parent) {
    if (parent.isEmpty()) {
      return 0;
    }
    SnapshotRecord record =
        find(transaction, parent)
            .orElseThrow(() -> new NotFoundException("parent snapshot \"" + parent + "\""));
    if (record.info().kind() != SnapshotKind.COMMITTED) {
      throw new FailedPreconditionException("parent snapshot \"" + parent + "\" is not committed");
    }
    return record.id();
  }

  private void checkFree(ReadTransaction transaction, String key) {
    if (transaction.exists(
        "SELECT 1 FROM backend_snapshots WHERE snapshotter = ? AND key = ?", name, key)) {
      throw new AlreadyExistsException("snapshot \"" + key + "\"");
    }
  }

  /** Tells early what {@link #create} would refuse, and what the new snapshot will stand on. */
  List<Long> checkNew(String key, String parent) {
    return read(
        transaction -> {
          checkFree(transaction, key);
          checkParent(transaction, parent);
          return parents(transaction, parent);
        });
  }

  /**
   * Records a snapshot whose folder is there.
   *
   * @param boot if it is to be lost with the end of this boot; see {@link ProvisionalRecords}
   */
  Standing create(
      SnapshotKind kind,
      String key,
      String parent,
      Map<String, String> labels,
      long id,
      @Nullable String boot) {
    return write(
        transaction -> {
          checkFree(transaction, key);
          long parentId = checkParent(transaction, parent);
          long now = now();
          transaction.update(
              "INSERT INTO backend_snapshots VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
              name,
              key,
              id,
              number(kind),
              parentId,
              now,
              now);
          setLabels(transaction, id, labels);
          ProvisionalRecords.note(transaction, name, id, boot);
          transaction.update(
              "INSERT INTO backend_snapshot_ids VALUES (?, ?)"
                  + " ON CONFLICT(snapshotter) DO UPDATE SET next = max(next, excluded.next)",
              name,
              id + 1);
          return new Standing(get(transaction, key), parents(transaction, parent));
        });
  }

  private void setLabels(WriteTransaction transaction, long id, Map<String, String> labels) {
    transaction.update(
        "DELETE FROM backend_snapshot_labels WHERE snapshotter = ? AND id = ?", name, id);
    labels.forEach(
        (label, value) ->
            transaction.update(
                "INSERT INTO backend_snapshot_labels VALUES (?, ?, ?, ?)", name, id, label, value));
  }

  private static SnapshotRecord checkActive(SnapshotRecord record) {
    if (record.info().kind() != SnapshotKind.ACTIVE) {
      throw new FailedPreconditionException(
          "snapshot \"" + record.info().name() + "\" is not active");
    }
    return record;
  }

  private long newParent(
      ReadTransaction transaction, SnapshotRecord record, String parent, boolean rebase) {
    String old = record.info().parent();
    if (parent.isEmpty() || parent.equals(old)) {
      return checkParent(transaction, old);
    }
    if (!old.isEmpty()) {
      throw new FailedPreconditionException(
          "snapshot \"%s\" stands on \"%s\" and cannot move to \"%s\""
              .formatted(record.info().name(), old, parent));
    }
    if (!rebase) {
      throw new FailedPreconditionException(
          "snapshotter %s cannot give snapshot \"%s\" another parent"
              .formatted(name, record.info().name()));
    }
    return checkParent(transaction, parent);
  }

  /** Tells early what {@link #commit} would refuse. */
  Standing checkCommit(String newName, String key, String parent, boolean rebase) {
    return read(
        transaction -> {
          checkFree(transaction, newName);
          SnapshotRecord record = checkActive(get(transaction, key));
          newParent(transaction, record, parent, rebase);
          return new Standing(record, parents(transaction, record.info().parent()));
        });
  }

  /**
   * Makes an active snapshot a committed one.
   *
   * @param boot if it is provisional; see {@link ProvisionalRecords}
   */
  void commit(
      String newName,
      SnapshotRecord active,
      Map<String, String> labels,
      String parent,
      boolean rebase,
      Usage usage,
      Optional<Seal> seal,
      @Nullable String boot) {
    var _ =
        write(
            transaction -> {
              checkFree(transaction, newName);
              SnapshotRecord record = checkActive(get(transaction, active.info().name()));
              if (record.id() != active.id()) {
                throw new NotFoundException("snapshot \"" + active.info().name() + "\"");
              }
              long parentId = newParent(transaction, record, parent, rebase);
              long now = now();
              var merged = new HashMap<>(record.info().labels());
              merged.putAll(labels);
              setLabels(transaction, record.id(), merged);
              if (seal.isPresent()) {
                SealRecords.put(transaction, name, record.id(), seal.get());
              }
              ProvisionalRecords.note(transaction, name, record.id(), boot);
              return transaction.update(
                  "UPDATE backend_snapshots SET key = ?, kind = ?, parent = ?, created_at = ?,"
                      + " updated_at = ?, size = ?, inodes = ? WHERE snapshotter = ? AND id = ?",
                  newName,
                  number(SnapshotKind.COMMITTED),
                  parentId,
                  now,
                  now,
                  usage.size(),
                  usage.inodes(),
                  name,
                  record.id());
            });
  }

  /** Replaces the record by a grave, and returns its id. */
  long remove(String key) {
    return writeToFree(
        transaction -> {
          SnapshotRecord record = get(transaction, key);
          if (transaction.exists(
              "SELECT 1 FROM backend_snapshots WHERE snapshotter = ? AND parent = ?",
              name,
              record.id())) {
            throw new FailedPreconditionException(
                "snapshot \"" + key + "\" cannot be removed: it has children");
          }
          erase(transaction, key, record.id());
          return record.id();
        });
  }

  /** Replaces the record, with everything that belongs to it, by a grave. */
  void erase(WriteTransaction transaction, String key, long id) {
    transaction.update(
        "DELETE FROM backend_snapshots WHERE snapshotter = ? AND key = ?", name, key);
    setLabels(transaction, id, Map.of());
    SealRecords.forget(transaction, name, id);
    ProvisionalRecords.forget(transaction, name, id);
    GraveRecords.dig(transaction, name, id);
  }

  /** Changes labels. */
  SnapshotRecord update(SnapshotInfo info, FieldMask mask) {
    return write(
        transaction -> {
          SnapshotRecord record = get(transaction, info.name());
          Map<String, String> labels = mask.isAll() ? info.labels() : record.info().labels();
          for (String path : mask.paths()) {
            if (!FieldMask.selects(path, "labels")) {
              throw FieldMask.refused(path, "snapshot");
            }
            labels = FieldMask.patch(path, "labels", labels, info.labels());
          }
          setLabels(transaction, record.id(), Labels.stored(labels));
          transaction.update(
              "UPDATE backend_snapshots SET updated_at = ? WHERE snapshotter = ? AND id = ?",
              now(),
              name,
              record.id());
          return get(transaction, info.name());
        });
  }

  /** Every record, in order of key. */
  List<SnapshotRecord> all() {
    return read(
        transaction -> {
          var labels = new HashMap<Long, Map<String, String>>();
          transaction.each(
              "SELECT id, name, value FROM backend_snapshot_labels WHERE snapshotter = ?",
              row ->
                  labels
                      .computeIfAbsent(row.number(0), _ -> new HashMap<>())
                      .put(row.text(1), row.text(2)),
              name);
          return transaction.all(
              SELECT + " WHERE s.snapshotter = ? ORDER BY s.key",
              row -> record(row, labels.getOrDefault(row.number(0), Map.of())),
              name);
        });
  }

  /** The first id that was never given out. */
  long nextId() {
    return read(
        transaction ->
            Math.max(
                1,
                transaction.number(
                    "SELECT next FROM backend_snapshot_ids WHERE snapshotter = ?", name)));
  }

  /** Which of the ids have a record. */
  Set<Long> recorded() {
    return new HashSet<>(
        read(
            transaction ->
                transaction.all(
                    "SELECT id FROM backend_snapshots WHERE snapshotter = ?",
                    row -> row.number(0),
                    name)));
  }

  /** What the snapshot of an id is, if there is one. */
  Optional<SnapshotKind> kindOf(long id) {
    return read(
        transaction ->
            transaction.first(
                "SELECT kind FROM backend_snapshots WHERE snapshotter = ? AND id = ?",
                row -> kind(row.number(0)),
                name,
                id));
  }
}

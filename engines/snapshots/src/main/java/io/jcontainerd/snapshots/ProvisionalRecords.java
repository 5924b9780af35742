package io.jcontainerd.snapshots;

import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.WriteTransaction;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which records of a snapshotter are provisional: their files were not synchronised yet, so they
 * hold only as long as the machine runs. Each is noted with the boot in which it was made; in
 * another boot, or after a synchronisation that failed or whose end nobody saw, it is lost with all
 * that stands on it. Only what is being unpacked or was unpacked is ever noted: it can be had
 * again.
 *
 * <p>A record is provisional from the transaction that makes it until the one that says that a
 * synchronisation which began later has succeeded. Children are recorded after their parents, so
 * nothing durable ever stands on something provisional. Should it do so all the same, what it
 * stands on is kept: nothing that is not provisional is ever removed here. Safe for many threads.
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
    return records.read(tx -> isNoted(tx, id));
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

  /**
   * A synchronisation begins. The kernel tells a failure once: should the process die before the
   * end is noted, by {@link #settle} or {@link #loseAll}, nobody knows what it told.
   */
  void synchronising() {
    records.writeToFree(
        tx -> tx.update("INSERT OR IGNORE INTO backend_snapshot_syncs VALUES (?)", name));
  }

  /** A synchronisation that began after these were committed has succeeded. */
  void settle(List<Long> ids) {
    records.writeToFree(
        tx -> {
          ids.forEach(id -> forget(tx, name, id));
          return ended(tx);
        });
  }

  private int ended(WriteTransaction tx) {
    return tx.update("DELETE FROM backend_snapshot_syncs WHERE snapshotter = ?", name);
  }

  /**
   * Removes, when the process begins, what was made in another boot, or everything provisional if
   * an earlier process did not see the end of a synchronisation; and all that stands on it. It can
   * be asked for with {@link #lost}.
   *
   * <p>A record that is durable, with what it stands on, is kept.
   */
  Lost loseLeft(String boot) {
    boolean left =
        records.read(
            tx ->
                isSynchronising(tx)
                    || tx.exists(
                        "SELECT 1 FROM backend_snapshot_boots WHERE snapshotter = ? AND boot != ?",
                        name,
                        boot));
    return left ? lose(tx -> isSynchronising(tx) ? all(tx) : others(tx, boot)) : Lost.NOTHING;
  }

  /**
   * Removes everything that is provisional, also what is being unpacked: a synchronisation failed,
   * and the kernel tells only once that something was lost, not what. As {@link #loseLeft}.
   */
  Lost loseAll() {
    return lose(this::all);
  }

  private boolean isSynchronising(ReadTransaction tx) {
    return tx.exists("SELECT 1 FROM backend_snapshot_syncs WHERE snapshotter = ?", name);
  }

  private List<Long> all(ReadTransaction tx) {
    return tx.all(
        "SELECT id FROM backend_snapshot_boots WHERE snapshotter = ?", row -> row.number(0), name);
  }

  private List<Long> others(ReadTransaction tx, String boot) {
    return tx.all(
        "SELECT id FROM backend_snapshot_boots WHERE snapshotter = ? AND boot != ?",
        row -> row.number(0),
        name,
        boot);
  }

  /** Finds ids. */
  @FunctionalInterface
  private interface Which {
    List<Long> in(ReadTransaction tx);
  }

  /**
   * What became of records that were not saved.
   *
   * @param names of what was removed
   * @param kept names of what was not, since something durable stands on it
   */
  record Lost(List<String> names, List<String> kept) {
    static final Lost NOTHING = new Lost(List.of(), List.of());

    void tellKept(Logger log, String snapshotter) {
      if (!kept.isEmpty()) {
        log.log(
            Level.ERROR,
            "snapshotter {0}: may be damaged, kept for what stands on it: {1}",
            snapshotter,
            kept);
      }
    }
  }

  private Lost lose(Which which) {
    return records.writeToFree(
        tx -> {
          var fates = new HashMap<Long, Boolean>();
          which.in(tx).forEach(id -> decide(tx, id, fates));
          var names = new ArrayList<String>();
          var kept = new ArrayList<String>();
          fates.forEach((id, goes) -> (goes ? names : kept).addAll(keys(tx, id)));
          fates.forEach(
              (id, goes) -> {
                if (goes) {
                  lose(tx, id);
                }
              });
          int _ = ended(tx);
          return new Lost(names.stream().sorted().toList(), kept.stream().sorted().toList());
        });
  }

  /** Whether a record goes: it and all that stands on it must be provisional. */
  private boolean decide(ReadTransaction tx, long id, Map<Long, Boolean> fates) {
    Boolean known = fates.get(id);
    if (known != null) {
      return known;
    }
    boolean goes = isNoted(tx, id);
    for (long child :
        tx.all(
            "SELECT id FROM backend_snapshots WHERE snapshotter = ? AND parent = ?",
            row -> row.number(0),
            name,
            id)) {
      goes &= decide(tx, child, fates);
    }
    fates.put(id, goes);
    return goes;
  }

  private boolean isNoted(ReadTransaction tx, long id) {
    return tx.exists(
        "SELECT 1 FROM backend_snapshot_boots WHERE snapshotter = ? AND id = ?", name, id);
  }

  private List<String> keys(ReadTransaction tx, long id) {
    return tx.all(
        "SELECT key FROM backend_snapshots WHERE snapshotter = ? AND id = ?",
        row -> row.text(0),
        name,
        id);
  }

  private void lose(WriteTransaction tx, long id) {
    for (String key : keys(tx, id)) {
      records.erase(tx, key, id);
      tx.update("INSERT OR IGNORE INTO backend_snapshot_losses VALUES (?, ?)", name, key);
    }
    forget(tx, name, id); // of a record that was gone
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

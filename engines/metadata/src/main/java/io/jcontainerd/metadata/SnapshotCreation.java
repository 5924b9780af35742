package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.ReadTransaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How snapshots come to be: the backend makes one, or has it already, and then it is recorded. What
 * cannot be recorded is taken away again. Safe for many threads.
 */
final class SnapshotCreation {
  private static final int TRIES = 3;

  private final String name;
  private final Database database;
  private final Snapshotter backend;
  private final SnapshotRows rows;
  private final SnapshotLosses losses;
  private final Guards guards;
  private final Runnable orphansPossible;

  SnapshotCreation(
      String name,
      Database database,
      Snapshotter backend,
      SnapshotRows rows,
      SnapshotLosses losses,
      Guards guards,
      Runnable orphansPossible) {
    this.name = name;
    this.database = database;
    this.backend = backend;
    this.rows = rows;
    this.losses = losses;
    this.guards = guards;
    this.orphansPossible = orphansPossible;
  }

  /**
   * Makes a snapshot.
   *
   * @param given labels: the backend gets them as they are, one without a value included
   */
  Prepared create(SnapshotKind kind, String key, String parent, Map<String, String> given) {
    Call call = Call.current();
    Map<String, String> labels = Labels.stored(given);
    String namespace = call.namespace();
    if (key.isEmpty()) {
      throw new InvalidArgumentException("snapshot key must not be empty");
    }
    String target = labels.getOrDefault(Labels.SNAPSHOT_REF, "");
    for (int i = 0; i < TRIES; i++) {
      if (!target.isEmpty() && rows.leaseExisting(database, call, target)) {
        return new Prepared.AlreadyThere(target);
      }
      if (rows.leaseExisting(database, call, key)) {
        throw new AlreadyExistsException("snapshot " + key);
      }
      String backendParent =
          parent.isEmpty() ? "" : database.read(tx -> rows.parent(tx, namespace, parent));
      String backendKey = SnapshotRows.backendKey(database, namespace, key);
      try (Guards.Hold _ = guards.hold(Guards.snapshot(name, backendKey))) {
        long before = losses.count();
        Prepared made = askBackend(kind, backendKey, backendParent, given, target);
        switch (made) {
          case Prepared.Writable _ -> {
            record(call, kind, key, backendKey, parent, backendParent, labels, before);
            return made;
          }
          case Prepared.AlreadyThere _ -> {
            if (adopt(call, target, parent, backendParent, labels, before)) {
              return new Prepared.AlreadyThere(target);
            }
          }
        }
      }
    }
    throw new UnavailableException(
        "target snapshot " + target + ": the snapshotter says that it is there, but shows none");
  }

  private Prepared askBackend(
      SnapshotKind kind,
      String backendKey,
      String backendParent,
      Map<String, String> labels,
      String target) {
    try {
      return switch (kind) {
        case ACTIVE -> backend.prepare(backendKey, backendParent, SnapshotRows.inherited(labels));
        case VIEW ->
            new Prepared.Writable(
                backend.view(backendKey, backendParent, SnapshotRows.inherited(labels)));
        case COMMITTED -> throw new AssertionError("committed snapshots are not prepared");
      };
    } catch (AlreadyExistsException e) {
      if (!target.isEmpty()) {
        return new Prepared.AlreadyThere(target);
      }
      // The key is new: the client must not take this for an answer to its own request.
      throw new UnknownException("snapshotter " + name + ": unexpected " + e.getMessage(), e);
    } catch (ContainerdException e) {
      losses.forget(e); // the parent may have been found lost
      throw e;
    }
  }

  private void record(
      Call call,
      SnapshotKind kind,
      String key,
      String backendKey,
      String parent,
      String backendParent,
      Map<String, String> labels,
      long before) {
    String namespace = call.namespace();
    Instant now = database.time().now();
    SnapshotRows.Known made =
        new SnapshotRows.Known(backendKey, new SnapshotInfo(kind, key, parent, labels, now, now));
    try {
      losses.writeOfBackend(
          backendKey,
          before,
          tx -> {
            if (rows.isTaken(tx, namespace, key)) {
              throw new AlreadyExistsException("snapshot " + key);
            }
            checkParent(tx, namespace, parent, backendParent);
            Database.ensureNamespace(tx, namespace);
            rows.attach(tx, call, key);
            rows.insert(tx, namespace, made);
            if (kind == SnapshotKind.ACTIVE) {
              new Notices(tx, Times.nanos(now), namespace).snapshotPrepared(name, key, parent);
            }
          });
    } catch (RuntimeException e) {
      removeUnrecorded(backendKey, e);
      throw e;
    }
  }

  /** The parent may have been removed, or removed and made anew, since the backend was asked. */
  private void checkParent(
      ReadTransaction tx, String namespace, String parent, String backendParent) {
    if (!parent.isEmpty() && !rows.parent(tx, namespace, parent).equals(backendParent)) {
      throw SnapshotRows.noParent(parent);
    }
  }

  private void removeUnrecorded(String backendKey, RuntimeException reason) {
    try {
      CleanUp.run(() -> backend.remove(backendKey));
    } catch (ContainerdException e) {
      reason.addSuppressed(e);
      orphansPossible.run();
    }
  }

  /** Takes over the committed snapshot that the backend has for the target. */
  private boolean adopt(
      Call call,
      String target,
      String parent,
      String backendParent,
      Map<String, String> labels,
      long before) {
    String namespace = call.namespace();
    List<SnapshotInfo> found = new ArrayList<>();
    backend.walk(
        Filter.ALL,
        info -> {
          if (info.kind() == SnapshotKind.COMMITTED
              && info.parent().equals(backendParent)
              && target.equals(info.labels().get(Labels.SNAPSHOT_REF))) {
            found.add(info);
          }
        });
    if (found.isEmpty()) {
      return false;
    }
    SnapshotInfo there = found.getFirst();
    try (Guards.Hold _ = guards.hold(Guards.snapshot(name, there.name()))) {
      backend.stat(there.name()); // it may have been swept before it was held
      Map<String, String> merged = new HashMap<>(there.labels());
      merged.putAll(labels);
      SnapshotRows.Known adopted =
          new SnapshotRows.Known(
              there.name(),
              new SnapshotInfo(
                  SnapshotKind.COMMITTED,
                  target,
                  parent,
                  merged,
                  there.createdAt(),
                  there.updatedAt()));
      losses.writeOfBackend(
          there.name(),
          before,
          tx -> {
            checkParent(tx, namespace, parent, backendParent);
            Database.ensureNamespace(tx, namespace);
            rows.attach(tx, call, target);
            if (rows.find(tx, namespace, target).isEmpty()) {
              rows.insert(tx, namespace, adopted);
            }
          });
      return true;
    } catch (NotFoundException e) {
      if (e.getMessage().contains(there.name())) {
        return false;
      }
      throw e;
    }
  }
}

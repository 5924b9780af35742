package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.WriteTransaction;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How an active snapshot becomes a committed one. The commit is announced in the tables, with
 * everything checked that could refuse it, before the backend is asked: from there on the active
 * snapshot may be gone from the backend, and nothing may lose what became of it. What a failure or
 * a killed daemon left between is settled later. Safe for many threads.
 */
final class SnapshotCommits {
  private static final System.Logger LOG = System.getLogger(SnapshotCommits.class.getName());
  private static final Duration LONGEST_COMMIT = Duration.ofMinutes(1);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

  private final String name;
  private final Database database;
  private final Snapshotter backend;
  private final SnapshotRows rows;
  private final Guards guards;
  private final Runnable orphansPossible;
  private final Set<Committing> underWay = ConcurrentHashMap.newKeySet();

  SnapshotCommits(
      String name,
      Database database,
      Snapshotter backend,
      SnapshotRows rows,
      Guards guards,
      Runnable orphansPossible) {
    this.name = name;
    this.database = database;
    this.backend = backend;
    this.rows = rows;
    this.guards = guards;
    this.orphansPossible = orphansPossible;
  }

  /** A snapshot that is being committed, or settled, by a thread of this process. */
  private record Committing(String namespace, String key) {}

  /** A commit that was announced, and what the backend is to be asked. */
  private record Begun(
      PendingCommit pending,
      String backendKey,
      String newBackendParent,
      Map<String, String> backendLabels) {}

  /** Commits {@code key} as {@code newName}, on {@code parent} if that is not empty. */
  void commit(String newName, String key, Map<String, String> labels, String parent) {
    Call call = Call.current();
    String namespace = call.namespace();
    Labels.check(labels);
    if (newName.isEmpty()) {
      throw new InvalidArgumentException("snapshot name must not be empty");
    }
    Committing committing = new Committing(namespace, key);
    if (!underWay.add(committing)) {
      throw new UnavailableException("snapshot " + key + " is being committed");
    }
    try {
      settleLeft(committing);
      if (rows.leaseExisting(database, call, newName)) {
        throw new AlreadyExistsException("snapshot " + newName);
      }
      String backendName = SnapshotRows.backendKey(database, namespace, newName);
      try (Guards.Hold _ = guards.hold(Guards.snapshot(name, backendName))) {
        commit(
            announced(newName, tx -> begin(tx, call, newName, backendName, key, labels, parent)));
      }
    } finally {
      underWay.remove(committing);
      synchronized (underWay) {
        underWay.notifyAll();
      }
    }
  }

  /**
   * Announces a commit. A name that another has announced is neither free nor there: who heard that
   * it exists would look for it and find nothing. So that one's end is awaited.
   */
  private Begun announced(String newName, Store.Write<Optional<Begun>> announcement) {
    long since = System.nanoTime();
    while (true) {
      Optional<Begun> begun = database.write(announcement);
      if (begun.isPresent()) {
        return begun.get();
      }
      if (System.nanoTime() - since > LONGEST_COMMIT.toNanos()) {
        throw new UnavailableException("snapshot " + newName + " is being committed by another");
      }
      try {
        synchronized (underWay) {
          underWay.wait(LOOK_AGAIN.toMillis());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new CancelledException("commit of snapshot " + newName, e);
      }
    }
  }

  /** Empty if a commit that is under way has announced the name. */
  private Optional<Begun> begin(
      WriteTransaction tx,
      Call call,
      String newName,
      String backendName,
      String key,
      Map<String, String> labels,
      String parent) {
    String namespace = call.namespace();
    SnapshotRows.Known active = rows.get(tx, namespace, key);
    if (active.info().kind() != SnapshotKind.ACTIVE) {
      throw new FailedPreconditionException("snapshot " + key + " is not active");
    }
    boolean rebase = active.info().parent().isEmpty() && !parent.isEmpty();
    if (!rebase && !parent.isEmpty() && !parent.equals(active.info().parent())) {
      throw new FailedPreconditionException(
          "snapshot %s stands on %s, not on %s".formatted(key, active.info().parent(), parent));
    }
    String newParent = rebase ? parent : active.info().parent();
    String backendParent = newParent.isEmpty() ? "" : rows.parent(tx, namespace, newParent);
    StoredLeases.check(tx, namespace, call.lease());
    if (rows.find(tx, namespace, newName).isPresent()) {
      throw new AlreadyExistsException("snapshot " + newName);
    }
    Optional<String> other = PendingCommit.promisedTo(tx, namespace, name, newName);
    if (other.isPresent()) {
      if (underWay.contains(new Committing(namespace, other.get()))) {
        return Optional.empty();
      }
      throw new AlreadyExistsException("snapshot " + newName); // left by a failure, to be settled
    }
    PendingCommit pending =
        new PendingCommit(
            namespace,
            name,
            key,
            newName,
            backendName,
            newParent,
            Labels.stored(labels),
            call.lease());
    pending.insert(tx);
    return Optional.of(
        new Begun(
            pending,
            active.backendKey(),
            rebase ? backendParent : "",
            SnapshotRows.inherited(labels)));
  }

  private void commit(Begun begun) {
    PendingCommit pending = begun.pending();
    boolean recorded;
    try {
      backend.commit(
          pending.backendName(),
          begun.backendKey(),
          begun.backendLabels(),
          begun.newBackendParent());
      recorded = finish(pending);
    } catch (RuntimeException | Error e) {
      if (!settled(pending, e)) {
        throw e;
      }
      return; // it is done, and recorded by a second try
    }
    if (!recorded) {
      throw SnapshotRows.notFound(pending.key());
    }
  }

  /**
   * Settles what a failure left.
   *
   * @return whether the commit stands
   */
  private boolean settled(PendingCommit pending, Throwable reason) {
    AtomicBoolean stands = new AtomicBoolean();
    try {
      CleanUp.run(() -> stands.set(settle(pending)));
    } catch (RuntimeException | Error second) {
      reason.addSuppressed(second);
      orphansPossible.run(); // the next collection tries again
    }
    return stands.get();
  }

  /** Ends or takes back the commits that a killed daemon, or a failure, left between. */
  void settleAll() {
    for (PendingCommit pending : database.read(tx -> PendingCommit.all(tx, name))) {
      Committing committing = new Committing(pending.namespace(), pending.key());
      if (underWay.add(committing)) {
        try {
          settleLeft(committing);
        } catch (ContainerdException e) {
          LOG.log(
              System.Logger.Level.WARNING,
              "commit of snapshot " + pending.key() + " could not be ended yet",
              e);
        } finally {
          underWay.remove(committing);
        }
      }
    }
  }

  private void settleLeft(Committing of) {
    database
        .read(tx -> PendingCommit.find(tx, of.namespace(), name, of.key()))
        .ifPresent(this::settle);
  }

  /**
   * Ends the commit if the backend has done it, and takes the announcement back if not. The caller
   * has it under way.
   *
   * @return whether the commit stands
   */
  private boolean settle(PendingCommit pending) {
    try (Guards.Hold _ = guards.hold(Guards.snapshot(name, pending.backendName()))) {
      if (backendHas(pending.backendName())) {
        return finish(pending);
      }
      return database.delete(
          tx -> {
            pending.delete(tx);
            return false;
          });
    }
  }

  private boolean backendHas(String backendName) {
    try {
      return backend.stat(backendName).kind() == SnapshotKind.COMMITTED;
    } catch (NotFoundException e) {
      return false;
    }
  }

  /**
   * Lets the name take the key's place. The reserve may be used: nothing new takes space.
   *
   * @return whether the key was still there
   */
  private boolean finish(PendingCommit pending) {
    String namespace = pending.namespace();
    Instant now = database.time().now();
    SnapshotInfo info =
        new SnapshotInfo(
            SnapshotKind.COMMITTED, pending.name(), pending.parent(), pending.labels(), now, now);
    return database.complete(
        tx -> {
          boolean stands = pending.stands(tx);
          pending.delete(tx);
          boolean taken = rows.find(tx, namespace, pending.name()).isPresent();
          if (!stands || taken) {
            // Removed meanwhile, or taken over from the backend under the same name.
            Condemned.snapshot(tx, name, pending.backendName());
          }
          if (!stands) {
            return false;
          }
          rows.delete(tx, namespace, pending.key());
          Optional<String> lease =
              pending.lease().filter(id -> StoredLeases.exists(tx, namespace, id));
          StoredLeases.attach(tx, namespace, lease, StoredLeases.snapshots(name), pending.name());
          StoredLeases.detach(tx, namespace, lease, StoredLeases.snapshots(name), pending.key());
          if (!taken) {
            rows.insert(tx, namespace, new SnapshotRows.Known(pending.backendName(), info));
          }
          new Notices(tx, Times.nanos(now), namespace)
              .snapshotCommitted(name, pending.key(), pending.name());
          return true;
        });
  }
}

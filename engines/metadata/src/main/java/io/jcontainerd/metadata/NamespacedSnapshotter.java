package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.CleanUp;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.CancelledException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.store.ReadTransaction;
import io.jcontainerd.store.Row;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.WriteTransaction;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Snapshots of a backend as each namespace sees them, with labels, leases and events. A key of a
 * namespace is {@code NAMESPACE/NUMBER/KEY} in the backend.
 */
final class NamespacedSnapshotter implements Snapshotter {
  private static final System.Logger LOG = System.getLogger(NamespacedSnapshotter.class.getName());
  private static final String SELECT =
      "SELECT key, backend_key, parent, kind, labels, created_at, updated_at"
          + " FROM snapshots WHERE namespace = ? AND snapshotter = ?";
  private static final int TRIES = 3;
  private static final Duration LONGEST_COMMIT = Duration.ofMinutes(1);
  private static final Duration LOOK_AGAIN = Duration.ofMillis(20);

  private final String name;
  private final Database database;
  private final Snapshotter backend;
  private final Guards guards;
  private final Runnable orphansPossible;
  private final UntoldLosses untold = new UntoldLosses();

  /** How many times losses were about to be forgotten. */
  private final AtomicLong lossesForgotten = new AtomicLong();

  private final Set<Committing> underWay = ConcurrentHashMap.newKeySet();

  /** A snapshot's row. */
  private record Known(String backendKey, SnapshotInfo info) {}

  NamespacedSnapshotter(
      String name,
      Database database,
      Snapshotter backend,
      Guards guards,
      Runnable orphansPossible) {
    this.name = name;
    this.database = database;
    this.backend = backend;
    this.guards = guards;
    this.orphansPossible = orphansPossible;
  }

  // ---- rows ----

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

  private Optional<Known> find(ReadTransaction tx, String namespace, String key) {
    return tx.first(SELECT + " AND key = ?", NamespacedSnapshotter::known, namespace, name, key);
  }

  private Known get(ReadTransaction tx, String namespace, String key) {
    return find(tx, namespace, key).orElseThrow(() -> notFound(key));
  }

  private Known get(String key) {
    String namespace = Call.currentNamespace();
    return database.read(tx -> get(tx, namespace, key));
  }

  private static NotFoundException notFound(String key) {
    return new NotFoundException("snapshot " + key);
  }

  private void insert(WriteTransaction tx, String namespace, Known snapshot) {
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

  private void attach(WriteTransaction tx, Call call, String key) {
    StoredLeases.attach(tx, call.namespace(), call.lease(), StoredLeases.snapshots(name), key);
  }

  private void detach(WriteTransaction tx, Call call, String key) {
    StoredLeases.detach(tx, call.namespace(), call.lease(), StoredLeases.snapshots(name), key);
  }

  private String backendKey(String namespace, String key) {
    return namespace + "/" + database.nextNumber() + "/" + key;
  }

  private static Map<String, String> inherited(Map<String, String> labels) {
    Map<String, String> inherited = new HashMap<>();
    labels.forEach(
        (key, value) -> {
          if (key.equals(Labels.SNAPSHOT_REF) || key.startsWith(Labels.SNAPSHOT_PREFIX)) {
            inherited.put(key, value);
          }
        });
    return inherited;
  }

  // ---- making ----

  @Override
  public Prepared prepare(String key, String parent, Map<String, String> labels) {
    return create(SnapshotKind.ACTIVE, key, parent, Labels.check(labels));
  }

  @Override
  public List<Mount> view(String key, String parent, Map<String, String> labels) {
    return switch (create(SnapshotKind.VIEW, key, parent, Labels.check(labels))) {
      case Prepared.Writable(List<Mount> mounts) -> mounts;
      case Prepared.AlreadyThere(String there) ->
          throw new AlreadyExistsException("target snapshot " + there);
    };
  }

  /**
   * @param given labels: the backend gets them as they are, one without a value included
   */
  private Prepared create(SnapshotKind kind, String key, String parent, Map<String, String> given) {
    Call call = Call.current();
    Map<String, String> labels = Labels.stored(given);
    String namespace = call.namespace();
    if (key.isEmpty()) {
      throw new InvalidArgumentException("snapshot key must not be empty");
    }
    String target = labels.getOrDefault(Labels.SNAPSHOT_REF, "");
    for (int i = 0; i < TRIES; i++) {
      if (!target.isEmpty() && leaseExisting(call, target)) {
        return new Prepared.AlreadyThere(target);
      }
      if (leaseExisting(call, key)) {
        throw new AlreadyExistsException("snapshot " + key);
      }
      String backendParent =
          parent.isEmpty() ? "" : database.read(tx -> parent(tx, namespace, parent));
      String backendKey = backendKey(namespace, key);
      try (Guards.Hold _ = guards.hold(Guards.snapshot(name, backendKey))) {
        long before = lossesForgotten.get();
        Prepared made = create(kind, backendKey, backendParent, given, target);
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

  /** Gives an existing snapshot to the call's lease; returns whether there is one. */
  private boolean leaseExisting(Call call, String key) {
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

  /** The parent's key in the backend. */
  private String parent(ReadTransaction tx, String namespace, String parent) {
    Known known =
        find(tx, namespace, parent)
            .orElseThrow(
                () -> new NotFoundException("parent snapshot " + parent + " does not exist"));
    if (known.info().kind() != SnapshotKind.COMMITTED) {
      throw new FailedPreconditionException("parent snapshot " + parent + " is not committed");
    }
    return known.backendKey();
  }

  private Prepared create(
      SnapshotKind kind,
      String backendKey,
      String backendParent,
      Map<String, String> labels,
      String target) {
    try {
      return switch (kind) {
        case ACTIVE -> backend.prepare(backendKey, backendParent, inherited(labels));
        case VIEW ->
            new Prepared.Writable(backend.view(backendKey, backendParent, inherited(labels)));
        case COMMITTED -> throw new AssertionError("committed snapshots are not prepared");
      };
    } catch (AlreadyExistsException e) {
      if (!target.isEmpty()) {
        return new Prepared.AlreadyThere(target);
      }
      // The key is new: the client must not take this for an answer to its own request.
      throw new UnknownException("snapshotter " + name + ": unexpected " + e.getMessage(), e);
    } catch (ContainerdException e) {
      forgetLost(e); // the parent may have been found lost
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
    Known made = new Known(backendKey, new SnapshotInfo(kind, key, parent, labels, now, now));
    try {
      writeOfBackend(
          backendKey,
          before,
          tx -> {
            if (isTaken(tx, namespace, key)) {
              throw new AlreadyExistsException("snapshot " + key);
            }
            checkParent(tx, namespace, parent, backendParent);
            Database.ensureNamespace(tx, namespace);
            attach(tx, call, key);
            insert(tx, namespace, made);
            if (kind == SnapshotKind.ACTIVE) {
              new Notices(tx, Times.nanos(now), namespace).snapshotPrepared(name, key, parent);
            }
          });
    } catch (RuntimeException e) {
      removeUnrecorded(backendKey, e);
      throw e;
    }
  }

  /**
   * Records something that the backend has. If losses were forgotten since it was asked, this may
   * be one of them, of which nothing was recorded that could have been removed: so it is asked
   * again.
   *
   * @param before the number of times that losses were forgotten before the backend was asked
   */
  private void writeOfBackend(String backendKey, long before, Consumer<WriteTransaction> body) {
    long known = before;
    while (!tryWrite(known, body)) {
      known = lossesForgotten.get();
      try {
        SnapshotInfo _ = backend.stat(backendKey);
      } catch (NotFoundException e) {
        throw new NotFoundException("snapshot " + backendKey + " was lost meanwhile", e);
      }
    }
  }

  /** Forgetting counts before it writes: whichever writes second knows of the other. */
  private boolean tryWrite(long known, Consumer<WriteTransaction> body) {
    return database.write(
        tx -> {
          boolean sure = known == lossesForgotten.get();
          if (sure) {
            body.accept(tx);
          }
          return sure;
        });
  }

  /** The parent may have been removed, or removed and made anew, since the backend was asked. */
  private void checkParent(
      ReadTransaction tx, String namespace, String parent, String backendParent) {
    if (!parent.isEmpty() && !parent(tx, namespace, parent).equals(backendParent)) {
      throw new NotFoundException("parent snapshot " + parent + " does not exist");
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
      Known adopted =
          new Known(
              there.name(),
              new SnapshotInfo(
                  SnapshotKind.COMMITTED,
                  target,
                  parent,
                  merged,
                  there.createdAt(),
                  there.updatedAt()));
      writeOfBackend(
          there.name(),
          before,
          tx -> {
            checkParent(tx, namespace, parent, backendParent);
            Database.ensureNamespace(tx, namespace);
            attach(tx, call, target);
            if (find(tx, namespace, target).isEmpty()) {
              insert(tx, namespace, adopted);
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

  /**
   * The commit is announced in the tables, with everything checked that could refuse it, before the
   * backend is asked: from there on the active snapshot may be gone from the backend, and nothing
   * may lose what became of it.
   */
  @Override
  public void commit(String newName, String key, Map<String, String> labels, String parent) {
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
      if (leaseExisting(call, newName)) {
        throw new AlreadyExistsException("snapshot " + newName);
      }
      String backendName = backendKey(namespace, newName);
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

  /** A commit that was announced, and what the backend is to be asked. */
  private record Begun(
      PendingCommit pending,
      String backendKey,
      String newBackendParent,
      Map<String, String> backendLabels) {}

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
    Known active = get(tx, namespace, key);
    if (active.info().kind() != SnapshotKind.ACTIVE) {
      throw new FailedPreconditionException("snapshot " + key + " is not active");
    }
    boolean rebase = active.info().parent().isEmpty() && !parent.isEmpty();
    if (!rebase && !parent.isEmpty() && !parent.equals(active.info().parent())) {
      throw new FailedPreconditionException(
          "snapshot %s stands on %s, not on %s".formatted(key, active.info().parent(), parent));
    }
    String newParent = rebase ? parent : active.info().parent();
    String backendParent = newParent.isEmpty() ? "" : parent(tx, namespace, newParent);
    StoredLeases.check(tx, namespace, call.lease());
    if (find(tx, namespace, newName).isPresent()) {
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
        new Begun(pending, active.backendKey(), rebase ? backendParent : "", inherited(labels)));
  }

  private boolean isTaken(ReadTransaction tx, String namespace, String key) {
    return find(tx, namespace, key).isPresent()
        || PendingCommit.promisedTo(tx, namespace, name, key).isPresent();
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
      throw notFound(pending.key());
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

  /** A snapshot that is being committed, or settled, by a thread of this process. */
  private record Committing(String namespace, String key) {}

  private void settleLeft(Committing of) {
    database
        .read(tx -> PendingCommit.find(tx, of.namespace(), name, of.key()))
        .ifPresent(this::settle);
  }

  /**
   * Also fails if something of this namespace was lost before, whoever found it, and is not there
   * again; it is told once.
   */
  @Override
  public void makeDurable() {
    String namespace = Call.currentNamespace();
    try {
      backend.makeDurable();
      forgetLost();
    } catch (ContainerdException e) {
      forgetLost(e);
      untold.take(namespace);
      throw e;
    }
    Set<String> lost = untold.take(namespace);
    Set<String> gone =
        lost.isEmpty()
            ? lost
            : database.read(
                tx ->
                    lost.stream()
                        .filter(key -> find(tx, namespace, key).isEmpty())
                        .collect(Collectors.toCollection(TreeSet::new)));
    if (!gone.isEmpty()) {
      throw new DataLossException(
          "snapshotter %s: could not be made durable, unpack again: %s".formatted(name, gone));
    }
  }

  /** Whoever relied on what was found lost is gone: the daemon starts. */
  void nobodyToTell() {
    untold.clear();
  }

  private void forgetLost(ContainerdException reason) {
    try {
      CleanUp.run(this::forgetLost);
    } catch (ContainerdException second) {
      reason.addSuppressed(second); // the next collection tries again
    }
  }

  /** Removes from the tables, in one step, what the backend has lost. */
  private void forgetLost() {
    Set<String> lost = backend.lost();
    if (lost.isEmpty()) {
      return;
    }
    lossesForgotten.incrementAndGet();
    Instant now = database.time().now();
    var places = new ArrayList<LostSnapshots.Place>();
    database.delete(
        tx -> {
          places.clear();
          lost.forEach(
              backendKey -> places.addAll(LostSnapshots.forget(tx, name, backendKey, now)));
          return true;
        });
    places.forEach(place -> untold.add(place.namespace(), place.key()));
    backend.forgetLost(lost);
  }

  /**
   * Forgets what was lost, and ends or takes back the commits that a killed daemon, or a failure,
   * left between.
   */
  void settleAll() {
    try {
      forgetLost();
    } catch (ContainerdException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "snapshotter " + name + ": what it lost could not be forgotten yet",
          e);
    }
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
          boolean taken = find(tx, namespace, pending.name()).isPresent();
          if (!stands || taken) {
            // Removed meanwhile, or taken over from the backend under the same name.
            Condemned.snapshot(tx, name, pending.backendName());
          }
          if (!stands) {
            return false;
          }
          delete(tx, namespace, pending.key());
          Optional<String> lease =
              pending.lease().filter(id -> StoredLeases.exists(tx, namespace, id));
          StoredLeases.attach(tx, namespace, lease, StoredLeases.snapshots(name), pending.name());
          StoredLeases.detach(tx, namespace, lease, StoredLeases.snapshots(name), pending.key());
          if (!taken) {
            insert(tx, namespace, new Known(pending.backendName(), info));
          }
          new Notices(tx, Times.nanos(now), namespace)
              .snapshotCommitted(name, pending.key(), pending.name());
          return true;
        });
  }

  private void delete(WriteTransaction tx, String namespace, String key) {
    tx.update(
        "DELETE FROM snapshots WHERE namespace = ? AND snapshotter = ? AND key = ?",
        namespace,
        name,
        key);
  }

  @Override
  public void remove(String key) {
    Call call = Call.current();
    String namespace = call.namespace();
    long now = database.now();
    database.delete(
        tx -> {
          Known known = get(tx, namespace, key);
          boolean parent =
              tx.exists(
                  "SELECT 1 FROM snapshots WHERE namespace = ? AND snapshotter = ? AND parent = ?"
                      + " LIMIT 1",
                  namespace,
                  name,
                  key);
          if (parent || PendingCommit.standsOn(tx, namespace, name, key)) {
            throw new FailedPreconditionException("cannot remove snapshot " + key + " with child");
          }
          delete(tx, namespace, key);
          detach(tx, call, key);
          Condemned.snapshot(tx, name, known.backendKey());
          PendingCommit.drop(tx, namespace, name, key);
          new Notices(tx, now, namespace).snapshotRemoved(name, key);
          return true;
        });
  }

  // ---- looking ----

  @Override
  public List<Mount> mounts(String key) {
    return backend.mounts(get(key).backendKey());
  }

  @Override
  public Usage usage(String key) {
    return backend.usage(get(key).backendKey());
  }

  @Override
  public SnapshotInfo stat(String key) {
    Known known = get(key);
    try {
      return overlaid(backend.stat(known.backendKey()), known.info());
    } catch (NotFoundException e) {
      var missing = new NotFoundException("snapshot " + key, e);
      forgetLost(missing);
      throw missing;
    }
  }

  /** The namespace's truth over the backend's, which may know further labels. */
  private static SnapshotInfo overlaid(SnapshotInfo below, SnapshotInfo info) {
    Map<String, String> labels = new HashMap<>(below.labels());
    labels.putAll(info.labels());
    return new SnapshotInfo(
        below.kind(), info.name(), info.parent(), labels, info.createdAt(), info.updatedAt());
  }

  @Override
  public SnapshotInfo update(SnapshotInfo info, FieldMask mask) {
    String namespace = Call.currentNamespace();
    Instant now = database.time().now();
    Known updated =
        database.write(
            tx -> {
              Known old = get(tx, namespace, info.name());
              Map<String, String> labels =
                  Masks.labels(mask, "snapshot info", old.info().labels(), info.labels());
              tx.update(
                  "UPDATE snapshots SET labels = ?, updated_at = ?"
                      + " WHERE namespace = ? AND snapshotter = ? AND key = ?",
                  LabelText.write(labels),
                  Times.nanos(now),
                  namespace,
                  name,
                  info.name());
              SnapshotInfo was = old.info();
              return new Known(
                  old.backendKey(),
                  new SnapshotInfo(
                      was.kind(), was.name(), was.parent(), labels, was.createdAt(), now));
            });
    return overlaid(updateBackend(updated, mask), updated.info());
  }

  /** Tells the backend those labels that it gets to see, if they differ from what it has. */
  private SnapshotInfo updateBackend(Known updated, FieldMask mask) {
    SnapshotInfo below = backend.stat(updated.backendKey());
    Map<String, String> wanted = inherited(updated.info().labels());
    List<String> paths = new ArrayList<>();
    wanted.forEach(
        (key, value) -> {
          if (!value.equals(below.labels().get(key))) {
            paths.add("labels." + key);
          }
        });
    boolean whole = mask.isAll() || mask.paths().contains("labels");
    for (String key : inherited(below.labels()).keySet()) {
      String path = "labels." + key;
      if (!wanted.containsKey(key) && (whole || mask.paths().contains(path))) {
        paths.add(path); // has no new value: it is removed
      }
    }
    if (paths.isEmpty()) {
      return below;
    }
    return backend.update(
        new SnapshotInfo(
            below.kind(),
            updated.backendKey(),
            below.parent(),
            wanted,
            below.createdAt(),
            below.updatedAt()),
        new FieldMask(paths));
  }

  @Override
  public void walk(Filter filter, Consumer<SnapshotInfo> each) {
    String namespace = Call.currentNamespace();
    List<Known> rows =
        database.read(
            tx -> tx.all(SELECT + " ORDER BY key", NamespacedSnapshotter::known, namespace, name));
    if (rows.isEmpty()) {
      return;
    }
    Function<String, Optional<SnapshotInfo>> below = backendLookup(rows.size());
    for (Known row : rows) {
      below
          .apply(row.backendKey())
          .map(info -> overlaid(info, row.info()))
          .filter(info -> filter.matches(fields(info)))
          .ifPresent(each);
    }
  }

  /** For a few rows one question each, for more one walk. */
  private Function<String, Optional<SnapshotInfo>> backendLookup(int rows) {
    if (rows <= 4) {
      return key -> {
        try {
          return Optional.of(backend.stat(key));
        } catch (NotFoundException e) {
          return Optional.empty(); // being removed, or lost by a killed daemon
        }
      };
    }
    Map<String, SnapshotInfo> all = new HashMap<>();
    backend.walk(Filter.ALL, info -> all.put(info.name(), info));
    return key -> Optional.ofNullable(all.get(key));
  }

  private static Fields fields(SnapshotInfo info) {
    return path ->
        switch (path.getFirst()) {
          case "kind" -> Optional.of(info.kind().name().toLowerCase(Locale.ROOT));
          case "name" -> Optional.of(info.name());
          case "parent" -> Optional.of(info.parent());
          case "labels" -> Fields.entry(info.labels(), path);
          default -> Optional.empty();
        };
  }

  @Override
  public void cleanup() {
    backend.cleanup();
  }

  @Override
  public Set<String> capabilities() {
    return backend.capabilities();
  }

  @Override
  public Map<String, String> exports() {
    return backend.exports();
  }

  /** Does nothing: the backend belongs to whoever opened it. */
  @Override
  public void close() {}
}

package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.failure.AlreadyExistsException;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/** Snapshots of a backend as each namespace sees them, with labels, leases and events. */
final class NamespacedSnapshotter implements Snapshotter {
  private static final System.Logger LOG = System.getLogger(NamespacedSnapshotter.class.getName());

  private final String name;
  private final Database database;
  private final Snapshotter backend;
  private final SnapshotRows rows;
  private final SnapshotLosses losses;
  private final SnapshotCreation creation;
  private final SnapshotCommits commits;

  NamespacedSnapshotter(
      String name,
      Database database,
      Snapshotter backend,
      Guards guards,
      Runnable orphansPossible) {
    this.name = name;
    this.database = database;
    this.backend = backend;
    this.rows = new SnapshotRows(name);
    this.losses = new SnapshotLosses(name, database, backend, rows);
    this.creation =
        new SnapshotCreation(name, database, backend, rows, losses, guards, orphansPossible);
    this.commits = new SnapshotCommits(name, database, backend, rows, guards, orphansPossible);
  }

  private SnapshotRows.Known get(String key) {
    String namespace = Call.currentNamespace();
    return database.read(tx -> rows.get(tx, namespace, key));
  }

  @Override
  public Prepared prepare(String key, String parent, Map<String, String> labels) {
    return creation.create(SnapshotKind.ACTIVE, key, parent, Labels.check(labels));
  }

  @Override
  public List<Mount> view(String key, String parent, Map<String, String> labels) {
    return switch (creation.create(SnapshotKind.VIEW, key, parent, Labels.check(labels))) {
      case Prepared.Writable(List<Mount> mounts) -> mounts;
      case Prepared.AlreadyThere(String there) ->
          throw new AlreadyExistsException("target snapshot " + there);
    };
  }

  @Override
  public void commit(String newName, String key, Map<String, String> labels, String parent) {
    commits.commit(newName, key, labels, parent);
  }

  /**
   * Also fails if something of this namespace was lost before, whoever found it, and is not there
   * again; it is told once.
   */
  @Override
  public void makeDurable() {
    losses.makeDurable(Call.currentNamespace());
  }

  /** Whoever relied on what was found lost is gone: the daemon starts. */
  void nobodyToTell() {
    losses.nobodyToTell();
  }

  /**
   * Forgets what was lost, and ends or takes back the commits that a killed daemon, or a failure,
   * left between.
   */
  void settleAll() {
    try {
      losses.forget();
    } catch (ContainerdException e) {
      LOG.log(
          System.Logger.Level.WARNING,
          "snapshotter " + name + ": what it lost could not be forgotten yet",
          e);
    }
    commits.settleAll();
  }

  @Override
  public void remove(String key) {
    Call call = Call.current();
    String namespace = call.namespace();
    long now = database.now();
    database.delete(
        tx -> {
          SnapshotRows.Known known = rows.get(tx, namespace, key);
          if (rows.hasChild(tx, namespace, key)
              || PendingCommit.standsOn(tx, namespace, name, key)) {
            throw new FailedPreconditionException("cannot remove snapshot " + key + " with child");
          }
          rows.delete(tx, namespace, key);
          rows.detach(tx, call, key);
          Condemned.snapshot(tx, name, known.backendKey());
          PendingCommit.drop(tx, namespace, name, key);
          new Notices(tx, now, namespace).snapshotRemoved(name, key);
          return true;
        });
  }

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
    SnapshotRows.Known known = get(key);
    try {
      return overlaid(backend.stat(known.backendKey()), known.info());
    } catch (NotFoundException e) {
      var missing = new NotFoundException("snapshot " + key, e);
      losses.forget(missing);
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
    SnapshotRows.Known updated =
        database.write(
            tx -> {
              SnapshotRows.Known old = rows.get(tx, namespace, info.name());
              Map<String, String> labels =
                  Masks.labels(mask, "snapshot info", old.info().labels(), info.labels());
              rows.updateLabels(tx, namespace, info.name(), labels, now);
              SnapshotInfo was = old.info();
              return new SnapshotRows.Known(
                  old.backendKey(),
                  new SnapshotInfo(
                      was.kind(), was.name(), was.parent(), labels, was.createdAt(), now));
            });
    return overlaid(updateBackend(updated, mask), updated.info());
  }

  /** Tells the backend those labels that it gets to see, if they differ from what it has. */
  private SnapshotInfo updateBackend(SnapshotRows.Known updated, FieldMask mask) {
    SnapshotInfo below = backend.stat(updated.backendKey());
    Map<String, String> wanted = SnapshotRows.inherited(updated.info().labels());
    List<String> paths = new ArrayList<>();
    wanted.forEach(
        (key, value) -> {
          if (!value.equals(below.labels().get(key))) {
            paths.add("labels." + key);
          }
        });
    boolean whole = mask.isAll() || mask.paths().contains("labels");
    for (String key : SnapshotRows.inherited(below.labels()).keySet()) {
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
    List<SnapshotRows.Known> all = database.read(tx -> rows.all(tx, namespace));
    if (all.isEmpty()) {
      return;
    }
    Function<String, Optional<SnapshotInfo>> below = backendLookup(all.size());
    for (SnapshotRows.Known row : all) {
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

package io.jcontainerd.snapshots;

import io.jcontainerd.core.FieldMask;
import io.jcontainerd.core.Labels;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.filter.Fields;
import io.jcontainerd.core.filter.Filter;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.NoSpaceException;
import io.jcontainerd.core.snapshots.Prepared;
import io.jcontainerd.core.snapshots.SnapshotInfo;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The order of steps that all snapshotters of folders share: folder, then record; commit what is
 * unpacked as provisional, then synchronise, then say that it is durable; synchronise, then commit
 * anything else; record away, then folder. No lock is held across any of them. The process may die,
 * and the power may fail, at any step.
 */
final class DirectorySnapshotter implements Snapshotter, CheckedTrees {
  private static final Logger LOG = System.getLogger(DirectorySnapshotter.class.getName());
  private static final int MODE = 0700;
  private static final int BATCH = 32;

  private final String name;
  private final Path root;
  private final Path snapshots;
  private final SnapshotRecords records;
  private final SealRecords seals;
  private final GraveRecords graves;
  private final Layout layout;
  private final Shelf shelf;
  private final Durability durability;
  private final ProvisionalRecords provisional;
  private final boolean removeAtOnce;
  private final AtomicLong nextId;
  private final Manifests manifests;
  private final LayerCare care;

  /**
   * Ids that are being made, whose folders may be there without a record, and ids that are being
   * committed or tidied, which one at a time may do.
   */
  private final Set<Long> inProgress = ConcurrentHashMap.newKeySet();

  /** Whether no commit has left anything that is known of. */
  private final AtomicBoolean settled = new AtomicBoolean();

  private DirectorySnapshotter(
      String name,
      Path root,
      Environment environment,
      SnapshotRecords records,
      Layout layout,
      Shelf shelf,
      Kernel.Synchroniser synchroniser,
      boolean removeAtOnce,
      long nextId)
      throws IOException {
    this.name = name;
    this.root = root;
    this.snapshots = root.resolve("snapshots");
    this.records = records;
    this.seals = new SealRecords(records, name);
    this.graves = new GraveRecords(records, name);
    this.layout = layout;
    this.shelf = shelf;
    this.removeAtOnce = removeAtOnce;
    this.nextId = new AtomicLong(nextId);
    this.provisional = new ProvisionalRecords(records, name);
    this.durability =
        new Durability(
            name,
            provisional,
            synchroniser,
            environment.time(),
            environment.durable() ? environment.kernel().bootId() : null);
    this.manifests =
        new Manifests(root, environment.files(), environment.trees(), environment.notes());
    this.care =
        new LayerCare(
            root,
            environment.files(),
            records,
            seals,
            layout,
            manifests,
            durability::synchroniseAll);
  }

  /** One whose snapshots are folders below {@code snapshots/}. */
  static DirectorySnapshotter open(
      String name, Path root, Environment environment, Layout layout, boolean removeAtOnce) {
    Shelf shelf = new FolderShelf(root.resolve("snapshots"), environment);
    return open(name, root, environment, layout, shelf, removeAtOnce);
  }

  static DirectorySnapshotter open(
      String name,
      Path root,
      Environment environment,
      Layout layout,
      Shelf shelf,
      boolean removeAtOnce) {
    var records = new SnapshotRecords(environment.store(), name, environment.time());
    try {
      environment.files().createDirectories(root, MODE);
      Kernel.Synchroniser synchroniser = environment.kernel().synchroniser(root);
      boolean opened = false;
      try {
        shelf.open();
        long next = records.nextId();
        for (long id : shelf.ids()) {
          next = Math.max(next, id + 1);
        }
        var snapshotter =
            new DirectorySnapshotter(
                name, root, environment, records, layout, shelf, synchroniser, removeAtOnce, next);
        snapshotter.loseLeft(environment.kernel().bootId());
        snapshotter.settleAtStart();
        snapshotter.durability.start();
        opened = true;
        return snapshotter;
      } finally {
        if (!opened) {
          synchroniser.close();
        }
      }
    } catch (IOException e) {
      throw failure("snapshotter " + name + ": open " + root, e);
    }
  }

  /**
   * What an earlier run of the machine did not make durable is lost; what this one did is kept,
   * unless a synchronisation was under way when the process died.
   */
  private void loseLeft(String boot) {
    ProvisionalRecords.Lost lost = provisional.loseLeft(boot);
    if (!lost.names().isEmpty()) {
      LOG.log(
          Level.WARNING,
          "snapshotter {0}: not durable when the machine or the daemon ended, to be unpacked again:"
              + " {1}",
          name,
          lost.names());
    }
    lost.tellKept(LOG, name);
  }

  static ContainerdException failure(String what, IOException e) {
    String reason =
        e instanceof FileSystemException told && told.getReason() != null
            ? told.getReason()
            : e.getClass().getSimpleName() + ": " + e.getMessage();
    String text = what + ": " + reason;
    return e instanceof NoSpaceException
        ? new ResourceExhaustedException(text, e)
        : new UnknownException(text, e);
  }

  private static String snapshot(String key) {
    return "snapshot \"" + key + "\"";
  }

  private Path folder(long id) {
    return snapshots.resolve(Long.toString(id));
  }

  private Layout.Place place(
      SnapshotKind kind, long id, List<Long> parents, Map<String, String> labels) {
    return new Layout.Place(kind, id, parents, labels, this::folder);
  }

  @Override
  public Prepared prepare(String key, String parent, Map<String, String> labels) {
    return new Prepared.Writable(create(SnapshotKind.ACTIVE, key, parent, Labels.stored(labels)));
  }

  @Override
  public List<Mount> view(String key, String parent, Map<String, String> labels) {
    return create(SnapshotKind.VIEW, key, parent, Labels.stored(labels));
  }

  private List<Mount> create(
      SnapshotKind kind, String key, String parent, Map<String, String> labels) {
    if (key.isEmpty()) {
      throw new InvalidArgumentException("snapshot key must not be empty");
    }
    List<Long> parents = records.checkNew(key, parent);
    boolean unpacking = kind == SnapshotKind.ACTIVE && Durability.isUnpacking(key);
    if (!unpacking && !parents.isEmpty() && provisional.has(parents.getFirst())) {
      makeDurable(); // what somebody keeps must not stand on what may be lost
    }
    long id = nextId.getAndIncrement();
    inProgress.add(id);
    try {
      Layout.Place place = place(kind, id, parents, labels);
      try {
        if (layout.make(place) && !unpacking) {
          durability.synchroniseAll();
        }
        Map<String, String> all = layout.labels(place);
        List<Mount> mounts = layout.mounts(place); // before the record: it may fail
        SnapshotRecords.Standing standing =
            records.create(kind, key, parent, all, id, unpacking ? durability.boot() : null);
        return standing.parents().equals(parents)
            ? mounts
            : layout.mounts(place(kind, id, standing.parents(), all));
      } catch (IOException | RuntimeException e) {
        throw undo(key, parent, id, e);
      }
    } finally {
      inProgress.remove(id);
    }
  }

  /** Deletes the folder of a snapshot that did not come about. */
  private ContainerdException undo(String key, String parent, long id, Exception reason) {
    try {
      shelf.delete(id);
    } catch (NoSuchFileException _) {
      // it had not come that far
    } catch (IOException second) {
      reason.addSuppressed(second); // the next clean-up finds it
    }
    return switch (reason) {
      case ContainerdException known -> known;
      case NoSuchFileException gone when !parent.isEmpty() ->
          new NotFoundException("parent " + snapshot(parent), gone);
      case IOException e when !parent.isEmpty() && records.find(parent).isEmpty() ->
          // it went while its child was being made; each kind meets that in a way of its own
          new NotFoundException("parent " + snapshot(parent), e);
      case IOException e -> failure(snapshot(key) + ": prepare", e);
      default -> throw (RuntimeException) reason;
    };
  }

  @Override
  public List<Mount> mounts(String key) {
    SnapshotRecords.Standing standing = records.standing(key);
    SnapshotRecord record = standing.record();
    if (record.info().kind() == SnapshotKind.COMMITTED) {
      throw new FailedPreconditionException(snapshot(key) + " is committed and has no mounts");
    }
    Layout.Place place =
        place(record.info().kind(), record.id(), standing.parents(), record.info().labels());
    try {
      layout.heal(place);
      return layout.mounts(place);
    } catch (IOException e) {
      throw failure(snapshot(key) + ": mounts", e);
    }
  }

  @Override
  public void commit(String newName, String key, Map<String, String> labels, String parent) {
    if (newName.isEmpty()) {
      throw new InvalidArgumentException("snapshot name must not be empty");
    }
    Map<String, String> kept = Labels.stored(labels);
    boolean rebase = layout.capabilities().contains("rebase");
    SnapshotRecords.Standing standing = records.checkCommit(newName, key, parent, rebase);
    SnapshotRecord active = standing.record();
    if (!inProgress.add(active.id())) {
      throw new UnavailableException(snapshot(key) + " is being committed by another call");
    }
    boolean unpacked = Durability.isUnpacking(key);
    try {
      Layout.Place place =
          place(SnapshotKind.ACTIVE, active.id(), standing.parents(), active.info().labels());
      try {
        if (rebase && !parent.isEmpty() && standing.parents().isEmpty()) {
          rebase(place, parent);
        }
        Manifests.Sealed sealed = seal(place);
        if (!unpacked && durability.boot() != null) {
          durability.synchroniseAll(); // it may be the only copy, and so may what it stands on
        }
        records.commit(
            newName,
            active,
            kept,
            parent,
            rebase,
            sealed.usage(),
            sealed.seal(),
            unpacked ? durability.boot() : null);
      } catch (IOException | RuntimeException e) {
        throw unsealed(key, active.id(), e);
      }
      if (unpacked) {
        durability.committed();
      }
      tidy(active.id(), SnapshotKind.COMMITTED);
      layout.tree(folder(active.id())).ifPresent(manifests::forget);
    } finally {
      inProgress.remove(active.id());
    }
  }

  private void rebase(Layout.Place place, String parent) throws IOException {
    SnapshotRecords.Standing below = records.standing(parent);
    List<Long> parents = new ArrayList<>(List.of(below.record().id()));
    parents.addAll(below.parents());
    layout.rebase(place(place.kind(), place.id(), parents, place.labels()));
  }

  /** Gives a snapshot its committed form, and records what that is made of. */
  private Manifests.Sealed seal(Layout.Place place) throws IOException {
    Optional<Path> tree = layout.tree(place.folder());
    return tree.isPresent() && manifests.possible()
        ? manifests.seal(place.id(), tree.get())
        : new Manifests.Sealed(layout.seal(place), Optional.empty());
  }

  /** Takes back what a commit that failed has made. */
  private RuntimeException unsealed(String key, long id, Exception reason) {
    try {
      shelf.settle(id, SnapshotKind.ACTIVE);
    } catch (IOException second) {
      reason.addSuppressed(second);
      settled.set(false); // the next clean-up finds it
    }
    return switch (reason) {
      case RuntimeException known -> known;
      case IOException e -> failure(snapshot(key) + ": commit", e);
      default -> throw new IllegalStateException(reason);
    };
  }

  private void tidy(long id, SnapshotKind kind) {
    try {
      shelf.settle(id, kind);
    } catch (NoSuchFileException _) {
      // another clean-up was quicker
    } catch (IOException e) {
      settled.set(false);
      LOG.log(
          Level.WARNING,
          "snapshotter " + name + ": the next clean-up tidies " + folder(id) + " up",
          e);
    }
  }

  @Override
  public void makeDurable() {
    try {
      durability.settle();
    } catch (IOException e) {
      throw failure("snapshotter " + name + ": make layers durable", e);
    }
  }

  @Override
  public Set<String> lost() {
    return provisional.lost();
  }

  @Override
  public void forgetLost(Set<String> names) {
    provisional.forgetLost(names);
  }

  @Override
  public void remove(String key) {
    long id = records.remove(key);
    layout.tree(folder(id)).ifPresent(manifests::forget);
    if (removeAtOnce) {
      try {
        bury(List.of(id));
      } catch (IOException e) {
        LOG.log(
            Level.WARNING,
            snapshot(key) + " is removed, its folder will be deleted by the next clean-up",
            e);
      }
    }
  }

  @Override
  public SnapshotInfo stat(String key) {
    return shown(records.get(key));
  }

  private SnapshotInfo shown(SnapshotRecord record) {
    SnapshotInfo info = record.info();
    Map<String, String> more = layout.shownLabels(folder(record.id()));
    if (more.isEmpty()) {
      return info;
    }
    var labels = new HashMap<>(info.labels());
    labels.putAll(more);
    return new SnapshotInfo(
        info.kind(), info.name(), info.parent(), labels, info.createdAt(), info.updatedAt());
  }

  @Override
  public SnapshotInfo update(SnapshotInfo info, FieldMask mask) {
    return shown(records.update(info, mask));
  }

  @Override
  public void walk(Filter filter, Consumer<SnapshotInfo> each) {
    for (SnapshotRecord record : records.all()) {
      SnapshotInfo info = shown(record);
      if (filter.matches(fields(info))) {
        each.accept(info);
      }
    }
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
  public Usage usage(String key) {
    SnapshotRecord record = records.get(key);
    if (record.info().kind() == SnapshotKind.COMMITTED) {
      return record.recorded();
    }
    try {
      SnapshotRecords.Standing standing = records.standing(key);
      return layout.usage(
          place(record.info().kind(), record.id(), standing.parents(), record.info().labels()));
    } catch (NoSuchFileException e) {
      throw new NotFoundException(snapshot(key), e);
    } catch (IOException e) {
      throw failure(snapshot(key) + ": usage", e);
    }
  }

  @Override
  public void cleanup() {
    // One that cannot be deleted does not hold up the others.
    var failures = new Failures();
    failures.collect(() -> bury(graves.all()));
    failures.collect(
        () -> {
          for (long id : orphans()) {
            failures.collect(() -> shelf.delete(id));
          }
        });
    failures.collect(shelf::sweep);
    failures.collect(this::settleAll);
    failures.collect(care::sweep);
    failures.collect(this::sweepManifests);
    try {
      failures.throwFirst();
    } catch (IOException e) {
      throw failure("snapshotter " + name + ": clean up", e);
    }
  }

  private void sweepManifests() throws IOException {
    manifests.cleanup(this::keptManifests);
  }

  private Manifests.Kept keptManifests() {
    // What is being written is asked for before the records, since those come before its end.
    Set<Long> busy = new HashSet<>(manifests.writing());
    busy.addAll(inProgress);
    Map<Long, Seal> known = seals.all();
    return (id, sum) -> busy.contains(id) || (known.containsKey(id) && known.get(id).sum() == sum);
  }

  /**
   * Ids on the shelf without a record. What is in progress is asked for before the records, since a
   * record comes before its end.
   */
  private Set<Long> orphans() throws IOException {
    var ids = new HashSet<>(shelf.ids());
    ids.removeAll(Set.copyOf(inProgress));
    ids.removeAll(records.recorded());
    ids.removeAll(graves.all());
    return ids;
  }

  private void settleAtStart() {
    try {
      settleAll();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "snapshotter " + name + ": the next clean-up tidies up", e);
    }
  }

  /** Ends what commits left that failed or were killed. */
  private void settleAll() throws IOException {
    if (settled.getAndSet(true)) {
      return;
    }
    boolean done = false;
    try {
      var failures = new Failures();
      for (long id : shelf.unsettled()) {
        if (inProgress.add(id)) {
          try {
            Optional<SnapshotKind> kind = records.kindOf(id);
            if (kind.isPresent()) {
              failures.collect(() -> shelf.settle(id, kind.get()));
            }
          } finally {
            inProgress.remove(id);
          }
        }
      }
      failures.throwFirst();
      done = true;
    } finally {
      if (!done) {
        settled.set(false);
      }
    }
  }

  /** Deletes in small batches; one that cannot be deleted does not hold up the others. */
  private void bury(List<Long> ids) throws IOException {
    var failures = new Failures();
    for (int at = 0; at < ids.size(); at += BATCH) {
      var deleted = new ArrayList<Long>();
      for (long id : ids.subList(at, Math.min(at + BATCH, ids.size()))) {
        if (failures.collect(() -> shelf.delete(id))) {
          deleted.add(id);
        }
      }
      graves.level(deleted);
    }
    failures.throwFirst();
  }

  @Override
  public List<Layer> layers() {
    return care.layers();
  }

  @Override
  public Set<String> keys() {
    return care.keys();
  }

  @Override
  public Optional<Layer> layer(String key) {
    return care.layer(key);
  }

  @Override
  public long check(String key, boolean deep, Pace pace, Consumer<TreeDamage> each)
      throws InterruptedException {
    return care.check(key, deep, pace, each);
  }

  @Override
  public List<TreeDamage> heal(String key, Optional<Unpack> unpack) throws InterruptedException {
    return care.heal(key, unpack);
  }

  @Override
  public void record(String key, Pace pace) throws InterruptedException {
    care.record(key, pace);
  }

  @Override
  public Set<String> capabilities() {
    return layout.capabilities();
  }

  @Override
  public Map<String, String> exports() {
    return Map.of("root", root.toString());
  }

  @Override
  public void close() {
    durability.close(); // folders need no closing and the store is the daemon's
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.FileSums;
import io.jcontainerd.core.check.Pace;
import io.jcontainerd.core.check.TreeDamage;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.snapshots.manifest.Healing;
import io.jcontainerd.snapshots.manifest.ManifestFormatException;
import io.jcontainerd.snapshots.manifest.Recorded;
import io.jcontainerd.snapshots.manifest.Recording;
import io.jcontainerd.snapshots.manifest.TreeManifest;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Compares committed snapshots with their manifests and puts them right. A layer that is used as a
 * parent stays usable meanwhile: its folder stays the same, and what is replaced in it is replaced
 * by a rename.
 */
final class LayerCare {
  private static final Logger LOG = System.getLogger(LayerCare.class.getName());

  private static final int MODE = 0700;
  private static final long BESIDE = -1;

  private final Path root;
  private final Files files;
  private final SnapshotRecords records;
  private final SealRecords seals;
  private final Layout layout;
  private final Manifests manifests;
  private final SharedSync.Action sync;
  private final Set<String> inUse = ConcurrentHashMap.newKeySet();

  LayerCare(
      Path root,
      Files files,
      SnapshotRecords records,
      SealRecords seals,
      Layout layout,
      Manifests manifests,
      SharedSync.Action sync) {
    this.root = root;
    this.files = files;
    this.records = records;
    this.seals = seals;
    this.layout = layout;
    this.manifests = manifests;
    this.sync = sync;
  }

  private Path workshop() {
    return root.resolve("heal");
  }

  /** Deletes what a dead process left. */
  void sweep() throws IOException {
    if (files.stat(workshop()).isEmpty()) {
      return;
    }
    for (String name : files.list(workshop())) {
      if (!inUse.contains(name)) {
        files.deleteTree(workshop().resolve(name));
      }
    }
  }

  private Path tree(long id) {
    return layout.tree(folder(id)).orElseThrow();
  }

  private boolean possible() {
    return manifests.possible() && layout.tree(root).isPresent();
  }

  List<CheckedTrees.Layer> layers() {
    if (!possible()) {
      return List.of();
    }
    Map<Long, Seal> known = seals.all();
    return records.all().stream()
        .filter(record -> record.info().kind() == SnapshotKind.COMMITTED)
        .map(record -> layer(record, Optional.ofNullable(known.get(record.id()))))
        .toList();
  }

  Optional<CheckedTrees.Layer> layer(String key) {
    if (!possible()) {
      return Optional.empty();
    }
    return records
        .find(key)
        .filter(record -> record.info().kind() == SnapshotKind.COMMITTED)
        .map(record -> layer(record, seals.find(record.id())));
  }

  private static CheckedTrees.Layer layer(SnapshotRecord record, Optional<Seal> seal) {
    return new CheckedTrees.Layer(
        record.info().name(),
        record.info().parent(),
        record.info().createdAt(),
        seal.filter(Seal::complete).isPresent(),
        seal.flatMap(Seal::source));
  }

  private Path folder(long id) {
    return root.resolve("snapshots").resolve(Long.toString(id));
  }

  private SnapshotRecord committed(String key) {
    SnapshotRecord record = records.get(key);
    if (record.info().kind() != SnapshotKind.COMMITTED) {
      throw new FailedPreconditionException("snapshot \"" + key + "\" is not committed");
    }
    return record;
  }

  private TreeManifest manifest(long id, Seal seal) {
    return manifests.of(id, tree(id), seal.sum());
  }

  long check(String key, boolean deep, Pace pace, Consumer<TreeDamage> each)
      throws InterruptedException {
    SnapshotRecord record = committed(key);
    Optional<Seal> seal = seals.find(record.id());
    if (seal.isEmpty()) {
      if (!exists(record.id())) {
        each.accept(new TreeDamage("", Damage.MISSING, "the folder of the layer is gone"));
      }
      return 0;
    }
    try {
      return manifest(record.id(), seal.get()).check(deep, pace, each);
    } catch (ManifestFormatException e) {
      each.accept(new TreeDamage("", Damage.RECORD, String.valueOf(e.getMessage())));
      return seal.get().entries();
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshot \"" + key + "\": check", e);
    }
  }

  private boolean exists(long id) {
    try {
      return files.stat(tree(id)).isPresent();
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshot " + id + ": check", e);
    }
  }

  List<TreeDamage> heal(String key, Optional<CheckedTrees.Unpack> unpack)
      throws InterruptedException {
    SnapshotRecord record = committed(key);
    long id = record.id();
    try {
      Optional<Seal> seal = seals.find(id);
      boolean usable = seal.isPresent() && manifest(id, seal.get()).intact();
      if (!usable && unpack.isEmpty()) {
        return List.of(
            new TreeDamage("", Damage.RECORD, "nothing is recorded of the layer, and no blob"));
      }
      try (Beside beside = new Beside(id)) {
        if (!usable) {
          Path tree = beside.unpack(unpack.orElseThrow(), record.info().parent());
          seal = Optional.of(recorded(id, tree, seal.flatMap(Seal::source), Pace.FULL));
        }
        List<TreeDamage> left =
            Healing.run(
                manifest(id, seal.orElseThrow()),
                beside.made,
                () -> fresh(beside, unpack, record.info().parent()));
        sync.run();
        return left;
      }
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshot \"" + key + "\": heal", e);
    }
  }

  /** Without the layer's bytes, all that needs none is put right. */
  private static Optional<Path> fresh(
      Beside beside, Optional<CheckedTrees.Unpack> unpack, String parent) {
    try {
      return unpack.isEmpty() ? Optional.empty() : Optional.of(beside.unpack(unpack.get(), parent));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "the layer cannot be unpacked again", e); // its maker tells why
      return Optional.empty();
    }
  }

  Set<String> keys() {
    return records.all().stream()
        .map(record -> record.info().name())
        .collect(Collectors.toUnmodifiableSet());
  }

  void record(String key, Pace pace) throws InterruptedException {
    SnapshotRecord record = committed(key);
    try {
      Optional<Seal> before = seals.find(record.id());
      recorded(record.id(), tree(record.id()), before.flatMap(Seal::source), pace);
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshot \"" + key + "\": record", e);
    }
  }

  /** Records a tree durably as what the snapshot is. */
  private Seal recorded(long id, Path tree, Optional<CheckedTrees.Source> source, Pace pace)
      throws IOException, InterruptedException {
    manifests.begin(id);
    try {
      Optional<Seal> before = seals.find(id);
      Recorded recorded = manifests.write(id, tree, FileSums.NONE, Recording.Unknown.READ, pace);
      manifests.force(id, recorded.sum());
      Seal seal = new Seal(recorded.sum(), recorded.entries(), recorded.complete(), source);
      boolean there = seals.replace(id, seal);
      if (!there) {
        manifests.delete(id, seal.sum());
      } else if (before.isPresent() && before.get().sum() != seal.sum()) {
        manifests.delete(id, before.get().sum());
      }
      return seal;
    } finally {
      manifests.end(id);
    }
  }

  /**
   * Two folders beside a layer's: for what is made again, and for the whole layer unpacked anew.
   */
  private final class Beside implements AutoCloseable {
    final Path made;
    private final Path whole;
    private Optional<Path> unpacked = Optional.empty();

    Beside(long id) throws IOException {
      whole = workshop().resolve(Long.toString(id));
      made = workshop().resolve(id + "-made");
      if (!inUse.add(whole.getFileName() + "")) {
        throw new UnavailableException("snapshot " + id + " is being healed by another call");
      }
      inUse.add(made.getFileName() + "");
      boolean ready = false;
      try {
        files.createDirectories(workshop(), MODE);
        clear();
        files.createDirectory(made, MODE);
        ready = true;
      } finally {
        if (!ready) {
          release();
        }
      }
    }

    private void release() {
      inUse.remove(whole.getFileName() + "");
      inUse.remove(made.getFileName() + "");
    }

    /** The layer unpacked anew, if that was not done already. */
    Path unpack(CheckedTrees.Unpack unpack, String parent) throws IOException {
      if (unpacked.isPresent()) {
        return unpacked.get();
      }
      var place =
          new Layout.Place(
              SnapshotKind.ACTIVE,
              BESIDE,
              records.standOn(parent),
              Map.of(),
              number -> number == BESIDE ? whole : folder(number));
      layout.make(place);
      unpack.into(layout.mounts(place));
      unpacked = layout.tree(whole);
      return unpacked.orElseThrow();
    }

    private void clear() throws IOException {
      for (Path path : List.of(whole, made)) {
        if (files.stat(path).isPresent()) {
          files.deleteTree(path);
        }
      }
    }

    @Override
    public void close() throws IOException {
      try {
        clear();
      } finally {
        layout.tree(whole).ifPresent(manifests::forget);
        release();
      }
    }
  }
}

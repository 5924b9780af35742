package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.Subvolumes;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Snapshots as subvolumes of a btrfs: {@code btrfs}. */
public final class BtrfsSnapshotter {
  /** The name under which it is known. */
  public static final String NAME = "btrfs";

  private static final int FOLDER_MODE = 0755;
  private static final int TOP_MODE = 0755;

  private BtrfsSnapshotter() {}

  /**
   * Why it cannot work below a folder, which need not exist yet; empty if it can.
   *
   * @throws ContainerdException if nobody can tell
   */
  public static Optional<String> reasonAgainst(Path root, Environment environment) {
    try {
      Path there = root.toAbsolutePath();
      while (environment.files().stat(there).isEmpty() && there.getParent() != null) {
        there = there.getParent();
      }
      return environment.kernel().space(there).magic() == Subvolumes.MAGIC
          ? Optional.empty()
          : Optional.of("path " + root + " must be on a btrfs to be used with it");
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter btrfs: look at " + root, e);
    }
  }

  /**
   * Opens the snapshotter below a folder of a btrfs, which is made if need be.
   *
   * @throws ContainerdException if the folder cannot be used
   */
  public static Snapshotter open(Path root, Environment environment) {
    return open(root, environment, Volumes.LINUX);
  }

  static Snapshotter open(Path root, Environment environment, Volumes volumes) {
    String device;
    try {
      environment.files().createDirectories(root, 0700);
      device = device(root, environment.kernel());
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter btrfs: open " + root, e);
    }
    var places = new Places(root, environment.files(), environment.kernel(), volumes);
    return DirectorySnapshotter.open(
        NAME,
        root,
        environment,
        new BtrfsLayout(places, environment.trees(), device),
        places,
        true);
  }

  /** The device of the innermost mount that holds the folder; of mounts at one place, the last. */
  private static String device(Path root, Kernel kernel) throws IOException {
    Kernel.MountPoint found = null;
    for (Kernel.MountPoint point : kernel.mountTable()) {
      if (root.startsWith(point.mountPoint())
          && (found == null
              || point.mountPoint().getNameCount() >= found.mountPoint().getNameCount())) {
        found = point;
      }
    }
    if (found == null || !found.type().equals("btrfs")) {
      throw new FailedPreconditionException(
          "snapshotter btrfs: path %s (%s) must be on a btrfs"
              .formatted(root, found == null ? "no mount" : found.type()));
    }
    return found.source();
  }

  /** {@code active/ID}, {@code view/ID} and, of committed snapshots, {@code snapshots/ID}. */
  private record Places(Path root, Files files, Kernel kernel, Volumes volumes) implements Shelf {
    private static String folder(SnapshotKind kind) {
      return switch (kind) {
        case ACTIVE -> "active";
        case VIEW -> "view";
        case COMMITTED -> "snapshots";
      };
    }

    Path folderOf(SnapshotKind kind) {
      return root.resolve(folder(kind));
    }

    Path of(SnapshotKind kind, long id) {
      return folderOf(kind).resolve(Long.toString(id));
    }

    @Override
    public void open() throws IOException {
      for (SnapshotKind kind : SnapshotKind.values()) {
        files.createDirectories(folderOf(kind), FOLDER_MODE);
      }
    }

    private Set<Long> ids(SnapshotKind kind) throws IOException {
      var ids = new HashSet<Long>();
      for (String name : files.list(folderOf(kind))) {
        FolderShelf.id(name).ifPresent(ids::add);
      }
      return ids;
    }

    @Override
    public Set<Long> ids() throws IOException {
      var all = new HashSet<Long>();
      for (SnapshotKind kind : SnapshotKind.values()) {
        all.addAll(ids(kind));
      }
      return all;
    }

    @Override
    public Set<Long> unsettled() throws IOException {
      Set<Long> both = ids(SnapshotKind.ACTIVE);
      both.retainAll(ids(SnapshotKind.COMMITTED));
      return both;
    }

    @Override
    public void delete(long id) throws IOException {
      boolean any = false;
      var failures = new Failures();
      for (SnapshotKind kind : SnapshotKind.values()) {
        Path path = of(kind, id);
        if (files.stat(path).isPresent()) {
          any = true;
          failures.collect(() -> remove(path));
        }
      }
      failures.throwFirst();
      if (!any) {
        throw new NoSuchFileException(root + ": subvolume " + id);
      }
    }

    @Override
    public void settle(long id, SnapshotKind kind) throws IOException {
      Path other =
          of(kind == SnapshotKind.COMMITTED ? SnapshotKind.ACTIVE : SnapshotKind.COMMITTED, id);
      if (files.stat(other).isPresent()) {
        remove(other);
      }
    }

    /** A subvolume; or a folder that somebody put in its place. */
    void remove(Path path) throws IOException {
      if (!volumes.exists(path)) {
        FolderShelf.deleteTree(path, files, kernel);
        return;
      }
      try {
        volumes.delete(path);
      } catch (NoSuchFileException e) {
        throw e;
      } catch (IOException e) {
        if (!FolderShelf.detach(path, kernel, e)) {
          throw e;
        }
        volumes.delete(path);
      }
    }

    @Override
    public void sweep() throws IOException {
      var failures = new Failures();
      for (SnapshotKind kind : SnapshotKind.values()) {
        for (String name : files.list(folderOf(kind))) {
          if (FolderShelf.isLeftover(name)) {
            failures.collect(() -> remove(folderOf(kind).resolve(name)));
          }
        }
      }
      failures.throwFirst();
    }
  }

  private record BtrfsLayout(Places places, Trees trees, String device) implements Layout {
    private Path path(Place place) {
      return places.of(place.kind(), place.id());
    }

    private Optional<Path> below(Place place) {
      return place.parents().isEmpty()
          ? Optional.empty()
          : Optional.of(places.of(SnapshotKind.COMMITTED, place.parents().getFirst()));
    }

    /** The kernel writes out what the parent has in memory only; a commit did so before. */
    @Override
    public boolean make(Place place) throws IOException {
      Optional<Path> below = below(place);
      if (below.isPresent()) {
        places.volumes().snapshot(below.get(), path(place), place.kind() == SnapshotKind.VIEW);
      } else {
        places.volumes().create(path(place));
        places.files().setMode(path(place), TOP_MODE);
      }
      return false;
    }

    @Override
    public void heal(Place place) throws IOException {
      if (!places.volumes().exists(path(place))) {
        make(place);
      }
    }

    @Override
    public List<Mount> mounts(Place place) throws IOException {
      List<String> options = new ArrayList<>();
      options.add("subvolid=" + places.volumes().id(path(place)));
      if (place.kind() != SnapshotKind.ACTIVE) {
        options.add("ro");
      }
      return List.of(new Mount("btrfs", device, options));
    }

    @Override
    public Usage usage(Place place) throws IOException {
      Optional<Path> below = below(place);
      return below.isPresent()
          ? trees.usageBeyond(path(place), below.get())
          : trees.usage(path(place));
    }

    /** A try that failed or was killed may have left one, of a time when less was written. */
    @Override
    public Usage seal(Place active) throws IOException {
      Usage usage = usage(active);
      Path sealed = places.of(SnapshotKind.COMMITTED, active.id());
      if (places.files().stat(sealed).isPresent()) {
        places.remove(sealed);
      }
      places.volumes().snapshot(path(active), sealed, true);
      return usage;
    }

    @Override
    public Map<String, String> shownLabels(Path folder) {
      return Map.of();
    }

    @Override
    public Set<String> capabilities() {
      return Set.of();
    }
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Snapshots as files that hold a file system each: {@code blockfile}. A new one begins as a copy of
 * its parent, or of an empty file system, and shares blocks with it where the file system below can
 * do so.
 */
public final class BlockfileSnapshotter {
  /** The name under which it is known. */
  public static final String NAME = "blockfile";

  private static final String LOOP = "loop";
  private static final long SECTOR = 512;

  /**
   * How it behaves.
   *
   * @param scratchFile a file with an empty file system, of which the snapshotter makes a copy of
   *     its own when it has none; empty if it has
   * @param fsType the file system in the files; {@code ext4} if empty
   * @param mountOptions for every mount; {@code loop} is added
   * @param recreateScratch whether the copy is made anew at every start
   */
  public record Options(
      String scratchFile, String fsType, List<String> mountOptions, boolean recreateScratch) {
    /** What holds unless told otherwise. */
    public static final Options DEFAULTS = new Options("", "", List.of(), false);

    /** Completes the options. */
    public Options {
      fsType = fsType.isEmpty() ? "ext4" : fsType;
      var all = new ArrayList<>(mountOptions);
      if (!all.contains(LOOP)) {
        all.add(LOOP);
      }
      mountOptions = List.copyOf(all);
    }
  }

  private BlockfileSnapshotter() {}

  private static Path scratch(Path root) {
    return root.resolve("scratch");
  }

  /**
   * Why it cannot work below a folder; empty if it can.
   *
   * @throws ContainerdException if nobody can tell
   */
  public static Optional<String> reasonAgainst(
      Path root, Environment environment, Options options) {
    try {
      boolean needed =
          options.recreateScratch() || environment.files().stat(scratch(root)).isEmpty();
      return needed && options.scratchFile().isEmpty()
          ? Optional.of(
              "no scratch file generator: scratch_file is not set and there is no " + scratch(root))
          : Optional.empty();
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter blockfile: look at " + root, e);
    }
  }

  /**
   * Opens the snapshotter below a folder, which is made if need be.
   *
   * @throws ContainerdException if the folder or the scratch file cannot be used
   */
  public static Snapshotter open(Path root, Environment environment, Options options) {
    try {
      environment.files().createDirectories(root, 0700);
      makeScratch(root, environment, options);
    } catch (IOException e) {
      throw DirectorySnapshotter.failure(
          "snapshotter blockfile: make " + scratch(root) + " of " + options.scratchFile(), e);
    }
    return DirectorySnapshotter.open(
        NAME,
        root,
        environment,
        new BlockLayout(environment.files(), environment.trees(), scratch(root), options),
        new FileShelf(root.resolve("snapshots"), environment.files(), environment.kernel()),
        true);
  }

  /** Beside itself and then renamed, so that half a copy is never taken for one. */
  private static void makeScratch(Path root, Environment environment, Options options)
      throws IOException {
    Files files = environment.files();
    Path scratch = scratch(root);
    if (!options.recreateScratch() && files.stat(scratch).isPresent()) {
      return;
    }
    Path beside = root.resolve("scratch.new");
    if (files.stat(beside).isPresent()) {
      files.delete(beside);
    }
    environment.trees().copyFile(Path.of(options.scratchFile()), beside);
    try (Files.Handle copy = files.open(beside, Files.Open.WRITE, 0)) {
      copy.force();
    }
    files.rename(beside, scratch);
    files.forceDirectory(root);
  }

  /** Files named by number. */
  private record FileShelf(Path snapshots, Files files, Kernel kernel) implements Shelf {
    @Override
    public void open() throws IOException {
      files.createDirectories(snapshots, 0700);
    }

    @Override
    public Set<Long> ids() throws IOException {
      var ids = new HashSet<Long>();
      for (String name : files.list(snapshots)) {
        FolderShelf.id(name).ifPresent(ids::add);
      }
      return ids;
    }

    /** A view of a committed snapshot has no file of its own. */
    @Override
    public void delete(long id) throws IOException {
      files.delete(snapshots.resolve(Long.toString(id)));
    }

    @Override
    public void sweep() throws IOException {
      var failures = new Failures();
      for (String name : files.list(snapshots)) {
        if (FolderShelf.isLeftover(name)) {
          failures.collect(() -> files.delete(snapshots.resolve(name)));
        }
      }
      failures.throwFirst();
    }
  }

  private record BlockLayout(Files files, Trees trees, Path scratch, Options options)
      implements Layout {
    private static boolean hasFile(Place place) {
      return place.kind() != SnapshotKind.VIEW || place.parents().isEmpty();
    }

    private Path below(Place place) {
      return place.parents().isEmpty()
          ? scratch
          : place.folders().apply(place.parents().getFirst());
    }

    @Override
    public boolean make(Place place) throws IOException {
      if (!hasFile(place)) {
        return false;
      }
      trees.copyFile(below(place), place.folder());
      return true;
    }

    @Override
    public void heal(Place place) throws IOException {
      Path source = hasFile(place) ? place.folder() : below(place);
      if (files.stat(source).isEmpty()) {
        throw new NoSuchFileException(source.toString());
      }
    }

    @Override
    public List<Mount> mounts(Place place) {
      var all = new ArrayList<>(options.mountOptions());
      all.add(place.kind() == SnapshotKind.ACTIVE ? "rw" : "ro");
      Path source = hasFile(place) ? place.folder() : below(place);
      return List.of(new Mount(options.fsType(), source.toString(), all));
    }

    /**
     * The blocks of the file beyond those of what it began as. Where blocks are shared nobody can
     * tell more without reading both; where they are not, the file takes all of its blocks.
     */
    @Override
    public Usage usage(Place place) throws IOException {
      if (!hasFile(place)) {
        return new Usage(0, 0);
      }
      long own = blocks(place.folder());
      long old = place.parents().isEmpty() ? 0 : blocks(below(place));
      return new Usage(Math.max(0, own - old) * SECTOR, 1);
    }

    private long blocks(Path file) throws IOException {
      return files
          .stat(file)
          .map(FileStat::blocks)
          .orElseThrow(() -> new NoSuchFileException(file.toString()));
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

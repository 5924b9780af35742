package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.snapshots.SnapshotKind;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.snapshots.Usage;
import io.jcontainerd.linux.process.SystemTool;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Snapshots as devices of a thin pool, each with a file system: {@code devmapper}. The pool is made
 * by others.
 */
public final class DevmapperSnapshotter {
  /** The name under which it is known. */
  public static final String NAME = "devmapper";

  /** On a snapshot's info: the file system of its device. */
  public static final String TYPE_LABEL = "containerd.io/snapshot/devmapper/fstype";

  private static final Path DEVICES = Path.of("/proc/misc");
  private static final Duration DEADLINE = Duration.ofMinutes(10);
  private static final int MOST = 1 << 16;

  /**
   * How it behaves.
   *
   * @param poolName the pool's name below {@code /dev/mapper}
   * @param baseImageSize bytes of each device
   * @param asyncRemove whether devices are deleted by a clean-up rather than with their snapshots
   * @param discardBlocks whether blocks are given back when a device is deleted
   * @param fsType {@code ext4} (also if empty), {@code ext2} or {@code xfs}
   * @param fsOptions for making a file system of ext; a comma-separated list
   */
  public record Options(
      String poolName,
      long baseImageSize,
      boolean asyncRemove,
      boolean discardBlocks,
      String fsType,
      String fsOptions) {
    /** Refuses what makes no sense. */
    public Options {
      fsType = fsType.isEmpty() ? "ext4" : fsType;
      if (!List.of("ext4", "ext2", "xfs").contains(fsType)) {
        throw new InvalidArgumentException(
            "fs_type must be ext4, ext2 or xfs, not \"" + fsType + "\"");
      }
      if (!poolName.isEmpty() && baseImageSize < ThinPool.SECTOR) {
        throw new InvalidArgumentException("base_image_size is required with a pool_name");
      }
    }
  }

  private DevmapperSnapshotter() {}

  /**
   * Why it cannot work here; empty if it can.
   *
   * @throws ContainerdException if nobody can tell
   */
  public static Optional<String> reasonAgainst(
      String poolName, Environment environment, Processes processes) {
    if (poolName.isEmpty()) {
      return Optional.of("devmapper not configured");
    }
    try (Files.Handle table = environment.files().open(DEVICES, Files.Open.READ, 0)) {
      // Files of proc have no size, so this one is read to its end rather than by size.
      ByteBuffer bytes = ByteBuffer.allocate(MOST);
      while (bytes.hasRemaining() && table.read(bytes, bytes.position()) > 0) {}
      String known = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII);
      if (!known.contains(" device-mapper\n")) {
        return Optional.of("this kernel has no device mapper");
      }
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter devmapper: look at " + DEVICES, e);
    }
    return SystemTool.find("dmsetup", processes, DEADLINE).isPresent()
        ? Optional.empty()
        : Optional.of("program dmsetup is not installed");
  }

  private static SystemTool tool(String name, Processes processes) {
    return SystemTool.find(name, processes, DEADLINE)
        .orElseThrow(
            () ->
                new FailedPreconditionException(
                    "snapshotter devmapper: program " + name + " is not installed"));
  }

  /**
   * Opens the snapshotter on its pool.
   *
   * @param root for what it notes of its devices; made if need be
   * @throws ContainerdException if the pool or a program is not there
   */
  public static Snapshotter open(
      Path root, Environment environment, Processes processes, Options options) {
    var pool =
        new ThinPool(
            options.poolName(),
            options.baseImageSize(),
            tool("dmsetup", processes),
            tool("sync", processes),
            options.discardBlocks()
                ? Optional.of(tool("blkdiscard", processes))
                : Optional.empty());
    SystemTool mkfs = tool("mkfs." + options.fsType(), processes);
    try {
      pool.require();
    } catch (IOException e) {
      throw DirectorySnapshotter.failure("snapshotter devmapper: pool " + options.poolName(), e);
    }
    var notes = new Notes(root.resolve("snapshots"), environment.files(), pool);
    return DirectorySnapshotter.open(
        NAME, root, environment, new Devices(notes, mkfs, options), notes, !options.asyncRemove());
  }

  /**
   * A file a device, made before it and deleted after it: the pool does not tell which devices it
   * has. It says what file system the device holds, and what it used of the pool when it was new.
   */
  private record Notes(Path folder, Files files, ThinPool pool) implements Shelf {
    private static final int MODE = 0600;

    private Path file(long id) {
      return folder.resolve(Long.toString(id));
    }

    /** What is noted of a device. */
    record Note(String type, long used) {}

    void write(long id, Note note) throws IOException {
      String text = note.type() + " " + note.used() + "\n";
      files.writeAll(file(id), text.getBytes(StandardCharsets.US_ASCII), MODE);
    }

    Note read(long id) throws IOException {
      if (files.stat(file(id)).isEmpty()) {
        throw new NoSuchFileException(file(id).toString());
      }
      String[] words =
          new String(files.readAll(file(id)), StandardCharsets.US_ASCII).strip().split(" ", -1);
      if (words.length != 2 || !words[1].matches("[0-9]{1,18}")) {
        throw new IOException(file(id) + " does not say what device " + id + " holds");
      }
      return new Note(words[0], Long.parseLong(words[1]));
    }

    @Override
    public void open() throws IOException {
      files.createDirectories(folder, 0700);
    }

    @Override
    public Set<Long> ids() throws IOException {
      var ids = new HashSet<Long>();
      for (String name : files.list(folder)) {
        FolderShelf.id(name).ifPresent(ids::add);
      }
      return ids;
    }

    @Override
    public void delete(long id) throws IOException {
      if (files.stat(file(id)).isEmpty()) {
        throw new NoSuchFileException(file(id).toString());
      }
      try {
        pool.delete(id);
      } catch (NoSuchFileException _) {
        // noted, but never made
      }
      files.delete(file(id));
    }

    @Override
    public void sweep() throws IOException {
      var failures = new Failures();
      for (String name : files.list(folder)) {
        if (name.startsWith(".")) {
          failures.collect(() -> files.delete(folder.resolve(name)));
        }
      }
      failures.throwFirst();
    }

    /** Nobody mounts a committed snapshot: its device needs no name. */
    @Override
    public void settle(long id, SnapshotKind kind) throws IOException {
      if (kind == SnapshotKind.COMMITTED) {
        pool.deactivate(id);
      }
    }
  }

  private record Devices(Notes notes, SystemTool mkfs, Options options) implements Layout {
    private static final String EXT4_OPTIONS = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";

    private ThinPool pool() {
      return notes.pool();
    }

    @Override
    public boolean make(Place place) throws IOException {
      long id = place.id();
      if (place.parents().isEmpty()) {
        notes.write(id, new Notes.Note(options.fsType(), 0));
        pool().create(id);
        pool().activate(id);
        String _ = mkfs.run(Path.of("/"), arguments(pool().device(id)));
      } else {
        long parent = place.parents().getFirst();
        String type = notes.read(parent).type();
        notes.write(id, new Notes.Note(type, 0));
        pool().snapshot(id, parent);
        pool().activate(id);
        notes.write(id, new Notes.Note(type, pool().mapped(id)));
      }
      return false;
    }

    private List<String> arguments(Path device) {
      if (options.fsType().equals("xfs")) {
        return List.of(device.toString());
      }
      String all =
          options.fsType().equals("ext4") && options.fsOptions().isEmpty()
              ? EXT4_OPTIONS
              : options.fsOptions();
      var arguments = new ArrayList<>(List.of("-q"));
      if (!all.isEmpty()) {
        arguments.addAll(List.of("-E", all));
      }
      arguments.add(device.toString());
      return arguments;
    }

    /** After a boot no device has a name. */
    @Override
    public void heal(Place place) throws IOException {
      Notes.Note _ = notes.read(place.id());
      pool().activate(place.id());
    }

    @Override
    public List<Mount> mounts(Place place) throws IOException {
      String type = notes.read(place.id()).type();
      var all = new ArrayList<String>();
      if (type.equals("xfs")) {
        all.add("nouuid");
      }
      if (place.kind() != SnapshotKind.ACTIVE) {
        all.add("ro");
      }
      return List.of(new Mount(type, pool().device(place.id()).toString(), all));
    }

    /** Synchronising the folder of notes does not reach the device. */
    @Override
    public Usage seal(Place active) throws IOException {
      pool().flush(active.id());
      return usage(active);
    }

    @Override
    public Usage usage(Place place) throws IOException {
      long id = place.id();
      pool().activate(id);
      return new Usage(Math.max(0, pool().mapped(id) - notes.read(id).used()), 0);
    }

    @Override
    public Map<String, String> labels(Place place) throws IOException {
      var all = new HashMap<>(place.labels());
      all.put(TYPE_LABEL, notes.read(place.id()).type());
      return all;
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

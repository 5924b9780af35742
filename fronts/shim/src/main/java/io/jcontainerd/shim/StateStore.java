package io.jcontainerd.shim;

import io.jcontainerd.core.failure.DataLossException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The records of containers, a file each, for the host that comes after this one. They are replaced
 * by renaming, so a reader finds the old or the new one. They describe processes, which do not
 * survive a power cut either, and so are not forced to disk: a folder that belongs to another boot
 * is emptied when it is opened. Safe for many threads; for one container, saves must not overlap.
 */
final class StateStore {
  private static final System.Logger LOG = System.getLogger(StateStore.class.getName());
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
  private static final String SUFFIX = ".json";
  private static final String SCRATCH = "scratch";

  private final Path folder;

  private StateStore(Path folder) {
    this.folder = folder;
  }

  /** Opens the state folder, which is there and ours. */
  static StateStore open(Path folder) throws IOException {
    String boot = Files.readString(BOOT_ID).strip();
    Path mark = folder.resolve("boot");
    if (Files.exists(mark) && !Files.readString(mark).strip().equals(boot)) {
      deleteTree(folder.resolve("containers"));
      deleteTree(folder.resolve("events"));
    }
    Files.writeString(mark, boot + "\n");
    Files.createDirectories(folder.resolve("containers"));
    return new StateStore(folder);
  }

  /** Keeps the record in place of an earlier one. */
  void save(ContainerRecord record) throws IOException {
    Path file = file(record.namespace(), record.id());
    Path parent = file.resolveSibling(".");
    if (!Files.isDirectory(parent)) {
      Files.createDirectories(parent.normalize());
    }
    Path beside = file.resolveSibling("." + record.id() + ".new");
    try {
      Files.write(beside, record.toBytes());
      Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      try {
        Files.deleteIfExists(beside);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw e;
    }
  }

  /** A folder for who works on what has no other one any more; an earlier one's is taken over. */
  Path scratch() throws IOException {
    return Files.createDirectories(folder.resolve(SCRATCH));
  }

  /** Forgets a container. */
  void delete(String namespace, String id) throws IOException {
    Files.deleteIfExists(file(namespace, id));
  }

  /** All records; one that cannot be read is logged and set aside. */
  List<ContainerRecord> all() throws IOException {
    List<ContainerRecord> records = new ArrayList<>();
    for (Path namespace : entries(folder.resolve("containers"))) {
      for (Path file : entries(namespace)) {
        if (!file.toString().endsWith(SUFFIX)) {
          Files.deleteIfExists(file); // the half of a save
          continue;
        }
        try {
          records.add(ContainerRecord.parse(Files.readAllBytes(file)));
        } catch (DataLossException e) {
          LOG.log(Level.ERROR, "record " + file + " is unreadable and set aside", e);
          Files.move(
              file,
              file.resolveSibling(file.getFileName() + ".bad"),
              StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
    return records;
  }

  /**
   * Removes the state folder with all that a host keeps in it, the lock last: what comes after that
   * is a successor's. To be called by who leaves nothing to a successor and has everything closed;
   * a record that was set aside is kept, and the folder with it.
   */
  void remove() throws IOException {
    try (Stream<Path> tree = Files.walk(folder.resolve("containers"))) {
      if (tree.anyMatch(Files::isRegularFile)) {
        return;
      }
    }
    deleteTree(folder.resolve("containers"));
    deleteTree(folder.resolve("events"));
    deleteTree(folder.resolve(SCRATCH));
    deleteTree(folder.resolve("coming"));
    try {
      for (String name :
          List.of("tmp", "boot", "log", "log.1", "cgroup", "serving", "expected", "lock", "")) {
        Files.deleteIfExists(folder.resolve(name));
      }
    } catch (DirectoryNotEmptyException e) { // a mount in tmp, or a successor's lock
      LOG.log(Level.DEBUG, "state folder is kept", e);
    }
  }

  private Path file(String namespace, String id) {
    return folder.resolve("containers").resolve(namespace).resolve(id + SUFFIX);
  }

  private static List<Path> entries(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  private static void deleteTree(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

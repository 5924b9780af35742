package io.jcontainerd.testkit.disk;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A thin pool of the kernel's device mapper, on loop devices over two sparse files. Root is needed.
 */
public final class ThinDisk implements AutoCloseable {
  private static final long SECTOR = 512;
  private static final long METADATA = 16L << 20;

  /** Sectors of a block, and free blocks below which the kernel tells. */
  private static final String LAYOUT = "128 64";

  private final String name;
  private final Path data;
  private final Path metadata;
  private String loops = "";

  private ThinDisk(String name, Path folder) {
    this.name = name;
    this.data = folder.resolve(name + ".data");
    this.metadata = folder.resolve(name + ".metadata");
  }

  /** Why there can be none on this machine; empty if there can. */
  public static Optional<String> whyNot() throws IOException {
    if (Files.readAllLines(Path.of("/proc/devices")).stream()
        .noneMatch(line -> line.endsWith(" device-mapper"))) {
      return Optional.of("this kernel has no device mapper");
    }
    LoopDisk.requireProgram("dmsetup");
    String targets = LoopDisk.run("dmsetup", "targets");
    return targets.contains("thin-pool")
        ? Optional.empty()
        : Optional.of("this kernel's device mapper has no thin pools");
  }

  /**
   * Makes a pool.
   *
   * @param name of the pool, below {@code /dev/mapper}
   * @param folder for its files
   * @param bytes that it has room for
   */
  public static ThinDisk create(String name, Path folder, long bytes) throws IOException {
    ThinDisk disk = new ThinDisk(name, folder);
    boolean made = false;
    try {
      String dataDevice = disk.loop(disk.data, bytes);
      String metadataDevice = disk.loop(disk.metadata, METADATA);
      String table =
          "0 %d thin-pool %s %s %s".formatted(bytes / SECTOR, metadataDevice, dataDevice, LAYOUT);
      String _ = LoopDisk.run("dmsetup", "create", name, "--table", table);
      made = true;
      return disk;
    } finally {
      if (!made) {
        disk.removeFiles();
      }
    }
  }

  private String loop(Path file, long bytes) throws IOException {
    try (var image = new RandomAccessFile(file.toFile(), "rw")) {
      image.setLength(bytes);
    }
    String device = LoopDisk.run("losetup", "--find", "--show", file.toString()).strip();
    loops += device + " ";
    return device;
  }

  /** The names of the pool's devices that are there. */
  public List<String> devices() throws IOException {
    return LoopDisk.run("dmsetup", "ls")
        .lines()
        .map(line -> line.split("\\s", 2)[0])
        .filter(device -> device.startsWith(name + "-"))
        .toList();
  }

  /** Takes away the devices that are still there, and the pool. */
  @Override
  public void close() throws IOException {
    for (String device : devices()) {
      String _ = LoopDisk.run("dmsetup", "remove", "--retry", device);
    }
    String _ = LoopDisk.run("dmsetup", "remove", "--retry", name);
    removeFiles();
  }

  private void removeFiles() throws IOException {
    for (String device : loops.split(" ", -1)) {
      if (!device.isEmpty()) {
        String _ = LoopDisk.run("losetup", "--detach", device);
      }
    }
    Files.deleteIfExists(data);
    Files.deleteIfExists(metadata);
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.linux.process.SystemTool;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Thin devices of a pool, spoken to with {@code dmsetup}. A device has a number in the pool, and a
 * name as long as it is active. Safe for many threads.
 */
final class ThinPool {
  /** Numbers of devices have 24 bits. */
  static final long MAX_DEVICE = (1L << 24) - 1;

  static final long SECTOR = 512;
  private static final Pattern MAPPED = Pattern.compile("0 [0-9]+ thin ([0-9]+) .*");
  private static final Path FOLDER = Path.of("/");

  private final String name;
  private final long sectors;
  private final SystemTool dmsetup;
  private final Optional<SystemTool> discard;

  /**
   * @param name of the pool
   * @param bytes the size of every device
   * @param discard gives blocks back when a device is deleted, if it is there
   */
  ThinPool(String name, long bytes, SystemTool dmsetup, Optional<SystemTool> discard) {
    this.name = name;
    this.sectors = bytes / SECTOR;
    this.dmsetup = dmsetup;
    this.discard = discard;
  }

  private String run(String... arguments) throws IOException {
    return dmsetup.run(FOLDER, List.of(arguments));
  }

  private void message(String text) throws IOException {
    String _ = run("message", name, "0", text);
  }

  /** Fails if there is no such pool. */
  void require() throws IOException {
    String status = run("status", name);
    if (!status.contains(" thin-pool ")) {
      throw new IOException("device " + name + " is no thin pool: " + status.strip());
    }
  }

  String deviceName(long id) {
    return name + "-snap-" + id;
  }

  Path device(long id) {
    return Path.of("/dev/mapper", deviceName(id));
  }

  private static void requireNumber(long id) throws IOException {
    if (id > MAX_DEVICE) {
      throw new IOException("a thin pool has no more than " + MAX_DEVICE + " devices, not " + id);
    }
  }

  /** Makes an empty device. */
  void create(long id) throws IOException {
    requireNumber(id);
    message("create_thin " + id);
  }

  /** Makes a device that begins as another is; what is active is held still meanwhile. */
  void snapshot(long id, long origin) throws IOException {
    requireNumber(id);
    boolean active = isActive(origin);
    if (active) {
      String _ = run("suspend", deviceName(origin));
    }
    try {
      message("create_snap " + id + " " + origin);
    } finally {
      if (active) {
        String _ = run("resume", deviceName(origin));
      }
    }
  }

  boolean isActive(long id) throws IOException {
    return dmsetup.finish(FOLDER, List.of("info", deviceName(id))).status() == 0;
  }

  /** Gives a device its name. */
  void activate(long id) throws IOException {
    String table = "0 %d thin /dev/mapper/%s %d".formatted(sectors, name, id);
    String _ = run("create", deviceName(id), "--table", table);
  }

  /** Writes out what the kernel holds of an active device, and takes its name. */
  void deactivate(long id) throws IOException {
    if (isActive(id)) {
      String _ = run("suspend", deviceName(id));
      String _ = run("resume", deviceName(id));
      String _ = run("remove", "--retry", "--deferred", deviceName(id));
    }
  }

  /** Bytes of the pool that an active device uses, shared ones included. */
  long mapped(long id) throws IOException {
    String status = run("status", deviceName(id)).strip();
    Matcher matcher = MAPPED.matcher(status);
    if (!matcher.matches()) {
      throw new IOException("status of " + deviceName(id) + " not understood: " + status);
    }
    return Long.parseLong(matcher.group(1)) * SECTOR;
  }

  /** Gives a device back to the pool. */
  void delete(long id) throws IOException {
    if (isActive(id)) {
      if (discard.isPresent()) {
        String _ = discard.get().run(FOLDER, List.of(device(id).toString()));
      }
      String _ = run("remove", "--retry", deviceName(id));
    }
    var arguments = new ArrayList<>(List.of("message", name, "0", "delete " + id));
    var finished = dmsetup.finish(FOLDER, arguments);
    if (finished.status() != 0) {
      String said = new String(finished.error(), java.nio.charset.StandardCharsets.UTF_8).strip();
      if (said.contains("No data available")) {
        throw new NoSuchFileException(name + ": device " + id);
      }
      throw new IOException("dmsetup message " + name + " 0 delete " + id + ": " + said);
    }
  }
}

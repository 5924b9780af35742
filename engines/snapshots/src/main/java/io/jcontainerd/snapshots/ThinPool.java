package io.jcontainerd.snapshots;

import io.jcontainerd.linux.process.SystemTool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
  private static final Pattern STATE = Pattern.compile("(?m)^State: +([A-Z]+)");
  private static final Pattern TABLE = Pattern.compile("(?m)^Tables present: +LIVE");
  private static final Path FOLDER = Path.of("/");

  private final String name;
  private final long sectors;
  private final SystemTool dmsetup;
  private final SystemTool sync;
  private final Optional<SystemTool> discard;

  /**
   * @param name of the pool
   * @param bytes the size of every device
   * @param sync forces a device
   * @param discard gives blocks back when a device is deleted, if it is there
   */
  ThinPool(
      String name, long bytes, SystemTool dmsetup, SystemTool sync, Optional<SystemTool> discard) {
    this.name = name;
    this.sectors = bytes / SECTOR;
    this.dmsetup = dmsetup;
    this.sync = sync;
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

  /** What the kernel knows of a device's name. */
  private enum State {
    ABSENT,
    /** It was being made when its maker was killed. */
    EMPTY,
    /** It was held still when whoever did that was killed, or is held so now. */
    SUSPENDED,
    ACTIVE
  }

  /** Anything but a clear answer is a failure: a device in use must not be taken for none. */
  private State state(long id) throws IOException {
    var finished = dmsetup.finish(FOLDER, List.of("info", deviceName(id)));
    String said = text(finished.output()) + text(finished.error());
    Matcher state = STATE.matcher(said);
    if (finished.status() == 0 && state.find()) {
      if (!TABLE.matcher(said).find()) {
        return State.EMPTY;
      }
      return state.group(1).equals("SUSPENDED") ? State.SUSPENDED : State.ACTIVE;
    }
    if (said.contains("Device does not exist")) {
      return State.ABSENT;
    }
    throw new IOException("dmsetup info " + deviceName(id) + ": " + said.strip());
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private boolean isActive(long id) throws IOException {
    return state(id) == State.ACTIVE;
  }

  /** Gives a device its name, if it has none. */
  void activate(long id) throws IOException {
    switch (state(id)) {
      case ABSENT -> create(deviceName(id), id);
      case EMPTY -> {
        String _ = run("remove", "--retry", deviceName(id));
        create(deviceName(id), id);
      }
      case SUSPENDED -> {
        String _ = run("resume", deviceName(id));
      }
      case ACTIVE -> {}
    }
  }

  private void create(String device, long id) throws IOException {
    String table = "0 %d thin /dev/mapper/%s %d".formatted(sectors, name, id);
    String _ = run("create", device, "--table", table);
  }

  /**
   * Makes what was written to a device survive a power cut, in a file system that is still mounted
   * too: holding it still writes that out, and forcing the device makes the pool keep its map. One
   * that has no name was not written to since it lost it.
   */
  void flush(long id) throws IOException {
    if (state(id) == State.ABSENT) {
      return;
    }
    activate(id);
    String _ = run("suspend", deviceName(id));
    String _ = run("resume", deviceName(id));
    String _ = sync.run(FOLDER, List.of(device(id).toString()));
  }

  /** Takes a device's name, as soon as nobody uses it. */
  void deactivate(long id) throws IOException {
    if (state(id) != State.ABSENT) {
      activate(id);
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
    if (state(id) != State.ABSENT) {
      activate(id);
      if (discard.isPresent()) {
        String _ = discard.get().run(FOLDER, List.of(device(id).toString()));
      }
      String _ = run("remove", "--retry", deviceName(id));
    }
    var arguments = new ArrayList<>(List.of("message", name, "0", "delete " + id));
    var finished = dmsetup.finish(FOLDER, arguments);
    if (finished.status() != 0) {
      String said = text(finished.error()).strip();
      if (said.contains("No data available")) {
        throw new NoSuchFileException(name + ": device " + id);
      }
      throw new IOException("dmsetup message " + name + " 0 delete " + id + ": " + said);
    }
  }
}

package io.jcontainerd.shim.launch;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.process.LinuxProcesses;
import io.jcontainerd.linux.process.ProcessIdentity;
import io.jcontainerd.linux.process.Signals;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the host of a place, or starts it: one at a time, however many are asked. */
final class HostStarter {
  private static final Duration POLL = Duration.ofMillis(5);
  private static final long LONG_LOG = 1 << 20;
  private static final int TAIL = 2000;
  private static final int FIRST_CLIENT = 30;
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private final Path program;
  private final Map<String, String> environment;
  private final Settings settings;

  /**
   * @param program the host's launcher
   * @param environment what the host and the OCI runtimes get
   */
  HostStarter(Path program, Map<String, String> environment, Settings settings) {
    this.program = program;
    this.environment = new HashMap<>(environment);
    this.environment.remove("NOTIFY_SOCKET"); // the daemon's own
    this.environment.remove("JCONTAINERD_RECORD_CACHE"); // this program's
    this.settings = settings;
  }

  /** A host, and whether it is new. */
  record Found(ServingMark.Host host, boolean isNew) {}

  /** What becomes of a new host that does not serve in time. */
  enum Late {
    /** It is of no use to anybody. */
    END,
    /** It may be busy with what another left, and need not serve for that. */
    LEAVE
  }

  /**
   * The host, which expects a client from now on.
   *
   * @param debug whether a new one logs much
   * @throws LaunchException if it is not there within the limit
   */
  Found findOrStart(HostPlace place, String ttrpcAddress, boolean debug, Duration limit, Late late)
      throws IOException, InterruptedException {
    Optional<ServingMark.Host> running = find(place);
    if (running.isPresent()) {
      return new Found(running.get(), false);
    }
    long deadline = System.nanoTime() + limit.toNanos();
    try (FileChannel file =
            FileChannel.open(place.lock(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock _ = lock(file, place, deadline)) {
      for (int attempt = 0; ; attempt++) {
        running = find(place);
        if (running.isPresent()) {
          return new Found(running.get(), false);
        }
        if (System.nanoTime() - deadline > 0) {
          throw new LaunchException("no time is left to start a shim host");
        }
        try {
          return new Found(start(place, ttrpcAddress, debug, deadline, late), true);
        } catch (NoSuchFileException e) { // its folder went with the one before
          if (attempt == 1) {
            throw e;
          }
        }
      }
    }
  }

  /** Others that start a host hold it until theirs is up or out of time. */
  private static FileLock lock(FileChannel file, HostPlace place, long deadline)
      throws IOException, InterruptedException {
    while (true) {
      FileLock lock = file.tryLock();
      if (lock != null) {
        return lock;
      }
      if (System.nanoTime() - deadline > 0) {
        throw new LaunchException("another still starts a shim host; it holds " + place.lock());
      }
      Thread.sleep(POLL);
    }
  }

  /** A host that leaves takes its folder with it, perhaps between our making it and using it. */
  private static Optional<ServingMark.Host> find(HostPlace place) throws IOException {
    for (int attempt = 0; ; attempt++) {
      Files.createDirectories(place.state(), PRIVATE);
      try {
        place.mark().expect();
        return place.mark().find();
      } catch (NoSuchFileException e) {
        if (attempt == 3) {
          throw e;
        }
      }
    }
  }

  private ServingMark.Host start(
      HostPlace place, String ttrpcAddress, boolean debug, long deadline, Late late)
      throws IOException, InterruptedException {
    Path sockets = place.socket().getParent();
    if (sockets != null) {
      Files.createDirectories(sockets, PRIVATE);
    }
    List<String> command =
        new ArrayList<>(
            List.of(
                program.toString(),
                "--socket",
                place.socket().toString(),
                "--state",
                place.state().toString(),
                "--events",
                ttrpcAddress,
                "--idle",
                Integer.toString(FIRST_CLIENT),
                "--orphans",
                "remove"));
    if (settings.group().outlivesContainers()) {
      command.addAll(List.of("--linger", Long.toString(settings.linger().toSeconds())));
    }
    if (debug) {
      command.add("--debug");
    }
    Path log = place.state().resolve("log");
    if (Files.exists(log) && Files.size(log) > LONG_LOG) {
      Files.move(log, log.resolveSibling("log.1"), StandardCopyOption.REPLACE_EXISTING);
    }
    try (LinuxProcesses processes = LinuxProcesses.open()) {
      int pid =
          processes.start(
              new Processes.Spawn(command, environment, Path.of("/"), new byte[0], true),
              Optional.of(log));
      ProcessIdentity started =
          ProcessIdentity.of(pid)
              .orElseThrow(() -> new LaunchException("shim host ended at once: " + tail(log)));
      return await(place, started, log, deadline, late);
    }
  }

  private static ServingMark.Host await(
      HostPlace place, ProcessIdentity started, Path log, long deadline, Late late)
      throws IOException, InterruptedException {
    while (true) {
      Optional<ServingMark.Host> host = place.mark().find();
      if (host.isPresent()) {
        return host.get();
      }
      if (!started.isRunning()) {
        throw new LaunchException("shim host ended at its start: " + tail(log));
      }
      if (System.nanoTime() - deadline > 0) {
        if (late == Late.END) {
          Signals.send(started.pid(), Signals.KILL);
        }
        throw new LaunchException("shim host is not up in time: " + tail(log));
      }
      Thread.sleep(POLL);
    }
  }

  /** The end of what it said. */
  private static String tail(Path log) {
    try (var file = new RandomAccessFile(log.toFile(), "r")) {
      file.seek(Math.max(0, file.length() - TAIL));
      byte[] bytes = new byte[TAIL];
      int count = Math.max(0, file.read(bytes));
      return new String(bytes, 0, count, UTF_8).strip();
    } catch (IOException e) {
      return "no log: " + e.getMessage();
    }
  }
}

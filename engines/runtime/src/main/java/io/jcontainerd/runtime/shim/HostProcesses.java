package io.jcontainerd.runtime.shim;

import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.linux.cgroup.CgroupPlacement;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Starts shim hosts, each in a session of its own, and connects to them. Safe for many threads. */
final class HostProcesses {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int SIGKILL = 9;

  /** What names a host: its socket, and its folder. */
  static final String NAME = "host-";

  /** In its folder, longer than nothing while events may wait in it. */
  private static final String JOURNAL = "events/journal";

  /**
   * How often a host is started that ends before it listens. One that a task depends on is started
   * again as long as there is time: it is given up with its containers.
   */
  private static final int STARTS = 5;

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

  private final List<String> command;
  private final Path state;
  private final Bundles bundles;
  private final Processes processes;
  private final ShimEnvironment environment;
  private final Timeouts timeouts;

  /**
   * Nothing is started yet.
   *
   * @param command the host's program and its fixed arguments
   * @param state holds a folder for each host
   */
  HostProcesses(
      List<String> command,
      Path state,
      Bundles bundles,
      Processes processes,
      ShimEnvironment environment,
      Timeouts timeouts) {
    this.command = List.copyOf(command);
    this.state = state;
    this.bundles = bundles;
    this.processes = processes;
    this.environment = environment;
    this.timeouts = timeouts;
  }

  /** The state folder of the host that listens there. */
  Path folder(Path address) {
    return state.resolve(address.getFileName());
  }

  /**
   * The connection to a host, which is started if nobody listens.
   *
   * @param cgroup where a new one is put; empty for where one of that address was before, if any
   * @throws UnavailableException if it does not listen in time, or ended, with what it printed
   */
  Shim connectOrStart(Path address, String cgroup) throws IOException, InterruptedException {
    var place = new ShimAddress(3, "unix://" + address, "ttrpc");
    Optional<Shim> running = tryConnect(place);
    if (running.isPresent()) {
      return running.get();
    }
    Path folder = folder(address);
    Files.createDirectories(environment.socketFolder());
    Processes.Spawn spawn = spawn(address, folder);
    HostLogFile log = HostLogFile.in(folder);
    long deadline = System.nanoTime() + timeouts.shimStart().toNanos();
    for (int attempt = 1; ; attempt++) {
      int pid = start(spawn, log);
      OomScore.give(pid);
      place(pid, cgroup, folder);
      LOG.log(
          Level.INFO,
          "shim host {0} started as process {1}",
          address.getFileName(),
          Integer.toString(pid));
      Optional<Shim> up = awaitUp(place, pid, log, deadline);
      if (up.isPresent()) {
        return up.get();
      }
      if (deadline - System.nanoTime() <= 0 || (attempt >= STARTS && !isNeeded(address))) {
        throw new UnavailableException("shim host ended at its start: " + log.tail());
      }
      LOG.log(Level.WARNING, "shim host ended at its start, once more: {0}", log.tail());
      pause(attempt);
    }
  }

  /** Whether a bundle names the host of that address. */
  private boolean isNeeded(Path address) {
    return bundles.list().stream()
        .anyMatch(
            b ->
                bundles
                    .readText(b, Bundle.BOOTSTRAP)
                    .filter(text -> text.contains(address.toString()))
                    .isPresent());
  }

  /** Longer after each attempt. */
  static void pause(int attempt) throws InterruptedException {
    Thread.sleep(Math.min(LONGEST_PAUSE.toMillis(), 20L << Math.min(attempt, 10)));
  }

  /** The connection to a host that was started; empty if it has ended before it listened. */
  private Optional<Shim> awaitUp(ShimAddress place, int pid, HostLogFile log, long deadline)
      throws IOException, InterruptedException {
    long pause = 2;
    while (deadline - System.nanoTime() > 0) {
      Optional<Shim> up = tryConnect(place);
      if (up.isPresent()) {
        return up;
      }
      if (processes.startTime(pid).isEmpty()) {
        return tryConnect(place); // it may have found another one at work
      }
      Thread.sleep(pause);
      pause = Math.min(50, pause * 2);
    }
    processes.signal(pid, SIGKILL);
    throw new UnavailableException(
        "shim host did not listen within " + timeouts.shimStart() + ": " + log.tail());
  }

  /**
   * Starts the hosts that have events for a daemon and were not started for a task's sake: they
   * deliver, find that nobody needs them, and leave. Nobody waits for them.
   */
  void startThoseWithEvents() throws InterruptedException {
    List<Path> folders = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(state, NAME + "*")) {
      found.forEach(folders::add);
    } catch (NoSuchFileException e) {
      LOG.log(Level.DEBUG, "no shim host was ever started", e);
    } catch (IOException | DirectoryIteratorException e) {
      LOG.log(Level.WARNING, "shim hosts with events cannot be looked for in " + state, e);
    }
    for (Path folder : folders) {
      try {
        startIfEventsAreLeft(folder);
      } catch (IOException e) {
        LOG.log(Level.WARNING, "events of " + folder + " wait for the next start", e);
      }
    }
  }

  private void startIfEventsAreLeft(Path folder) throws IOException, InterruptedException {
    Path journal = folder.resolve(JOURNAL);
    Path address = environment.socketFolder().resolve(folder.getFileName());
    if (!Files.exists(journal) || Files.size(journal) == 0) {
      return;
    }
    Optional<Shim> running = tryConnect(new ShimAddress(3, "unix://" + address, "ttrpc"));
    if (running.isPresent()) {
      running.get().end();
      return;
    }
    int pid = start(spawn(address, folder), HostLogFile.in(folder));
    LOG.log(
        Level.INFO,
        "shim host {0} has left events behind, started as process {1}",
        folder.getFileName(),
        Integer.toString(pid));
    OomScore.give(pid);
    place(pid, "", folder);
  }

  private Processes.Spawn spawn(Path address, Path folder) {
    List<String> all = new ArrayList<>(command);
    all.addAll(
        List.of(
            "--socket",
            address.toString(),
            "--state",
            folder.toString(),
            "--events",
            environment.ttrpcAddress(),
            "--grpc-address",
            environment.grpcAddress()));
    if (environment.debug()) {
      all.add("--debug");
    }
    return new Processes.Spawn(all, environment.of("default"), state, new byte[0], true);
  }

  /**
   * Puts a new host into its group, which is kept for one that takes its place. That one has
   * containers to look after, and does so outside if the group is gone.
   */
  private void place(int pid, String cgroup, Path folder) throws IOException {
    Path kept = folder.resolve("cgroup");
    String wanted = cgroup.isEmpty() && Files.exists(kept) ? Files.readString(kept) : cgroup;
    if (wanted.isEmpty()) {
      return;
    }
    try {
      CgroupPlacement.place(wanted, pid);
      Files.writeString(kept, wanted);
    } catch (IOException e) {
      if (cgroup.isEmpty()) {
        LOG.log(Level.WARNING, "shim host " + pid + " stays outside of cgroup " + wanted, e);
        return;
      }
      processes.signal(pid, SIGKILL);
      throw new UnavailableException("shim host: cgroup " + wanted + ": " + e.getMessage(), e);
    }
  }

  private Optional<Shim> tryConnect(ShimAddress place) throws InterruptedException {
    if (!Files.exists(place.socket())) {
      return Optional.empty();
    }
    try {
      return Optional.of(Shim.connectShared(place, timeouts.connect()));
    } catch (UnavailableException e) {
      LOG.log(Level.DEBUG, "nobody at " + place.address(), e);
      return Optional.empty();
    }
  }

  /** A host that leaves removes its folder, perhaps between our making it and our using it. */
  private int start(Processes.Spawn spawn, HostLogFile log) throws IOException {
    try {
      log.prepare();
      return processes.start(spawn, Optional.of(log.path()));
    } catch (IOException e) {
      LOG.log(Level.DEBUG, "folder of a shim host, again", e);
      log.prepare();
      return processes.start(spawn, Optional.of(log.path()));
    }
  }
}

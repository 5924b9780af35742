package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Empty;
import io.jcontainerd.api.runtime.task.v3.DeleteRequest;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.runtime.task.v3.KillRequest;
import io.jcontainerd.api.runtime.task.v3.StateRequest;
import io.jcontainerd.api.runtime.task.v3.StateResponse;
import io.jcontainerd.api.runtime.task.v3.WaitRequest;
import io.jcontainerd.api.runtime.task.v3.WaitResponse;
import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.api.types.RuntimeVersion;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.oci.json.JsonObject;
import io.jcontainerd.oci.runtime.Spec;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Our own shim: one process that keeps many containers, started on first need in a session of its
 * own so that it outlives the daemon. All its tasks share one connection.
 *
 * <p>A host is known by its socket's name, which also names its state folder: {@code STATE/host-….}
 * A daemon of another version uses a host of its own beside the old one; the old one is told to
 * leave when a task of its ends, and does so with its last. When a host dies, a new one is started
 * on the same socket and state, which takes over what still runs; only a task that the new one does
 * not know is given up.
 */
public final class HostShimLauncher implements ShimLauncher, AutoCloseable {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int NAME_LENGTH = 64;
  private static final Spec NO_SPEC = new Spec(JsonObject.EMPTY);
  private static final int SIGKILL = 9;
  private static final Duration SOON = Duration.ofMillis(5);

  private static final int MAX_OUTPUT = 10 << 20;

  private final Path shimProgram;
  private final ShimGroup group;
  private final String identity;
  private final Set<String> runtimes;
  private final Bundles bundles;
  private final Processes processes;
  private final ShimEnvironment environment;
  private final ShimLogs logs;
  private final Supplier<Optional<Path>> ociRuntime;
  private final Timeouts timeouts;
  private final ComingTasks coming;
  private final HostProcesses starter;
  private final HandRemoval byHand;
  private final Map<Path, CompletableFuture<Shim>> hosts = new ConcurrentHashMap<>();

  /**
   * A launcher; nothing is started yet.
   *
   * @param command the host's program and its fixed arguments
   * @param shimProgram speaks for the host to whoever takes the bundles for those of a shim
   * @param runtimes the names of runtimes that it keeps
   * @param group which tasks share a host
   * @param logs takes what is written to a bundle's log
   * @param state holds a folder for each host
   * @param ociRuntime makes and removes containers whose options name no other; empty for the
   *     host's own choice
   */
  public HostShimLauncher(
      List<String> command,
      Path shimProgram,
      Set<String> runtimes,
      ShimGroup group,
      Bundles bundles,
      Processes processes,
      ShimEnvironment environment,
      ShimLogs logs,
      Path state,
      Supplier<Optional<Path>> ociRuntime,
      Timeouts timeouts) {
    this.shimProgram = shimProgram;
    this.runtimes = Set.copyOf(runtimes);
    this.group = group;
    this.identity = environment.grpcAddress() + "\n" + environment.daemonVersion() + "\n";
    this.bundles = bundles;
    this.processes = processes;
    this.environment = environment;
    this.logs = logs;
    this.ociRuntime = ociRuntime;
    this.timeouts = timeouts;
    this.coming = new ComingTasks(processes);
    this.starter = new HostProcesses(command, state, bundles, processes, environment, timeouts);
    this.byHand = new HandRemoval(bundles, processes, environment, ociRuntime);
  }

  /** Where the host of a group listens. */
  private Path socket(String key) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest((identity + key).getBytes(UTF_8));
      String name = HostProcesses.NAME + HexFormat.of().formatHex(hash);
      return environment.socketFolder().resolve(name.substring(0, NAME_LENGTH));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  @Override
  public boolean keeps(String runtime) {
    return runtimes.contains(runtime);
  }

  @Override
  public boolean owns(Bundle bundle) {
    try {
      return isHost(BinaryShimLauncher.address(bundles, bundle).socket());
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "not a bundle of a shim host: " + bundle, e);
      return false;
    }
  }

  private boolean isHost(Path file) {
    Path name = file.getFileName();
    return name != null && name.toString().startsWith(HostProcesses.NAME);
  }

  @Override
  public Shim launch(Bundle bundle, Launch launch) throws InterruptedException {
    String cgroup = RuncOptions.shimCgroup(launch.options());
    String key =
        group.key(bundle, () -> Spec.parse(bundles.read(bundle, Bundle.CONFIG).orElseThrow()));
    Path address = socket(cgroup.isEmpty() ? key : key + "\n" + cgroup);
    Duration limit = Limits.atMost(timeouts.shimStart());
    Shim host =
        cgroup.isEmpty() && group.outlivesTasks()
            ? host(address, cgroup, limit)
            : hostThatStays(bundle, address, cgroup, limit);
    bundles.write(bundle, Bundle.SHIM_BINARY, shimProgram.toString().getBytes(UTF_8), 0600);
    bundles.write(bundle, Bundle.BOOTSTRAP, host.address().toJson(), 0644);
    openLog(bundle);
    return host;
  }

  /**
   * A host of those that leave with their last task, which does not while this one's is coming. One
   * that is about to leave is waited for, and another started.
   */
  private Shim hostThatStays(Bundle bundle, Path address, String cgroup, Duration limit)
      throws InterruptedException {
    Path folder = starter.folder(address);
    long deadline = System.nanoTime() + limit.toNanos();
    try {
      while (true) {
        coming.announce(bundle, folder);
        long left = deadline - System.nanoTime();
        Shim host = host(address, cgroup, Duration.ofNanos(Math.max(1, left)));
        if (coming.isServed(folder) && coming.isAnnounced(bundle) && !host.isLost()) {
          return host;
        }
        if (left <= 0) {
          throw new UnavailableException("shim host " + address + ": does not serve in time");
        }
        Thread.sleep(SOON);
      }
    } catch (IOException e) {
      coming.settled(bundle);
      throw new UnavailableException("shim host " + address + ": " + e.getMessage(), e);
    } catch (RuntimeException | InterruptedException e) {
      coming.settled(bundle);
      throw e;
    }
  }

  @Override
  public void settled(Bundle bundle) {
    coming.settled(bundle);
  }

  /**
   * The host has a log of its own; this one is for who helps one task, and is not worth failing.
   */
  private void openLog(Bundle bundle) {
    try {
      logs.open(bundle);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "log of " + bundle, e);
    }
  }

  @Override
  public Shim reconnect(Bundle bundle, Duration limit) throws InterruptedException {
    // a dead host is started again, which takes longer than a connection
    Shim host =
        keeper(BinaryShimLauncher.address(bundles, bundle).socket(), bundle)
            .orElseThrow(() -> new UnavailableException(bundle + ": unknown to the shim host"));
    openLog(bundle);
    return host;
  }

  @Override
  public Optional<Shim> successor(Bundle bundle) throws InterruptedException {
    Path address = BinaryShimLauncher.address(bundles, bundle).socket();
    if (!isHost(address)) {
      return Optional.empty();
    }
    return keeper(address, bundle);
  }

  /**
   * The host that has the task; empty if the host says that it does not. One that dies before it
   * says so is not asked in vain: the next one has what it had.
   */
  private Optional<Shim> keeper(Path address, Bundle bundle) throws InterruptedException {
    long deadline = System.nanoTime() + timeouts.shimStart().toNanos();
    for (int attempt = 1; ; attempt++) {
      Shim host = host(address, "", timeouts.shimStart());
      try {
        return knows(host, bundle) ? Optional.of(host) : Optional.empty();
      } catch (UnavailableException e) {
        if (!Shim.isLost(e) || deadline - System.nanoTime() <= 0) {
          throw e;
        }
        LOG.log(Level.WARNING, "the shim host that was asked for {0} has died, once more", bundle);
        HostProcesses.pause(attempt);
      }
    }
  }

  private boolean knows(Shim host, Bundle bundle) throws InterruptedException {
    try {
      host.call(
          bundle.namespace(),
          "State",
          StateRequest.newBuilder().setId(bundle.id()).build(),
          StateResponse.parser(),
          Optional.of(timeouts.shimLoad()));
      return true;
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "shim host does not know " + bundle, e);
      return false;
    }
  }

  @Override
  public void recovered() throws InterruptedException {
    starter.startThoseWithEvents();
  }

  @Override
  public boolean forgetsEvents() {
    return false;
  }

  @Override
  public void release(Shim shim, Bundle bundle, Duration limit) throws InterruptedException {
    logs.close(bundle);
    Path address = shim.address().socket();
    if (group.outlivesTasks() && address.equals(socket(group.key(bundle, () -> NO_SPEC)))) {
      return;
    }
    try {
      shim.shutdown(bundle.namespace(), bundle.id(), limit);
    } catch (ContainerdException e) {
      if (!Shim.isLost(e)) {
        LOG.log(Level.WARNING, "shutdown of the shim at " + address, e);
      }
    } finally {
      shim.close();
    }
  }

  /**
   * The connection to a host, which is started if nobody listens. All who ask at the same time
   * share one attempt.
   *
   * @param cgroup where a new one is put; empty for where one of that address was before, if any
   */
  private Shim host(Path address, String cgroup, Duration limit) throws InterruptedException {
    while (true) {
      var mine = new CompletableFuture<Shim>();
      CompletableFuture<Shim> slot = hosts.putIfAbsent(address, mine);
      if (slot == null) {
        // not the caller's thread: its cancel must not fail the others
        Thread.ofVirtual().name("shim-host " + address).start(() -> open(address, cgroup, mine));
        slot = mine;
      }
      try {
        Shim host = slot.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        if (!host.isLost()) {
          return host;
        }
        hosts.remove(address, slot);
      } catch (TimeoutException e) {
        throw new UnavailableException("shim host " + address + ": not up within " + limit, e);
      } catch (ExecutionException e) {
        if (e.getCause() instanceof ContainerdException known) {
          throw new UnavailableException(Objects.toString(known.getMessage(), "shim host"), known);
        }
        throw new UnavailableException("shim host " + address + ": " + e.getCause(), e);
      }
    }
  }

  private void open(Path address, String cgroup, CompletableFuture<Shim> slot) {
    try {
      Shim host = starter.connectOrStart(address, cgroup);
      host.onLost(() -> hosts.remove(address, slot));
      slot.complete(host);
    } catch (InterruptedException e) {
      hosts.remove(address, slot);
      slot.completeExceptionally(e);
      Thread.currentThread().interrupt();
    } catch (RuntimeException | IOException e) {
      hosts.remove(address, slot);
      slot.completeExceptionally(e);
    }
  }

  @Override
  public Exit reap(Bundle bundle, String runtime, Duration limit) throws InterruptedException {
    logs.close(bundle);
    Optional<Exit> byHost = askHost(bundle, limit);
    return byHost.isPresent() ? byHost.get() : byHand.remove(bundle, limit);
  }

  /** A host that lives would keep a container that is removed behind its back. */
  private Optional<Exit> askHost(Bundle bundle, Duration limit) throws InterruptedException {
    CompletableFuture<Shim> slot;
    try {
      slot = hosts.get(BinaryShimLauncher.address(bundles, bundle).socket());
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "no host of " + bundle, e);
      return Optional.empty();
    }
    if (slot == null || slot.state() != Future.State.SUCCESS) {
      return Optional.empty();
    }
    Shim host = slot.resultNow();
    try {
      kill(host, bundle, limit);
      host.call(
          bundle.namespace(),
          "Wait",
          WaitRequest.newBuilder().setId(bundle.id()).build(),
          WaitResponse.parser(),
          Optional.of(limit));
      DeleteResponse deleted =
          host.call(
              bundle.namespace(),
              "Delete",
              DeleteRequest.newBuilder().setId(bundle.id()).build(),
              DeleteResponse.parser(),
              Optional.of(limit));
      return Optional.of(
          new Exit(deleted.getPid(), deleted.getExitStatus(), Times.toCore(deleted.getExitedAt())));
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "the shim host does not remove " + bundle, e);
      return Optional.empty();
    }
  }

  private static void kill(Shim host, Bundle bundle, Duration limit) throws InterruptedException {
    try {
      host.call(
          bundle.namespace(),
          "Kill",
          KillRequest.newBuilder().setId(bundle.id()).setSignal(SIGKILL).setAll(true).build(),
          Empty.parser(),
          Optional.of(limit));
    } catch (NotFoundException e) {
      LOG.log(Level.DEBUG, "nothing to kill of " + bundle, e); // ended, or not known
    }
  }

  @Override
  public Optional<TypedValue> options(Optional<TypedValue> given) {
    Optional<Path> chosen = ociRuntime.get();
    return chosen.isEmpty() ? given : RuncOptions.withBinary(given, chosen.get());
  }

  @Override
  public RuntimeInfo info(String runtime, Optional<TypedValue> options, Duration limit)
      throws InterruptedException {
    RuntimeInfo.Builder info =
        RuntimeInfo.newBuilder()
            .setName(runtime)
            .setVersion(RuntimeVersion.newBuilder().setVersion(environment.daemonVersion()));
    options.ifPresent(o -> info.setOptions(TypedValues.toApi(o)));
    features(options(options), limit)
        .ifPresent(
            f -> info.setFeatures(TypedValues.toApi(new TypedValue(TypedValues.FEATURES, f))));
    return info.build();
  }

  /** What the OCI runtime announces, if it can. */
  private Optional<byte[]> features(Optional<TypedValue> options, Duration limit)
      throws InterruptedException {
    String binary = RuncOptions.binary(options).orElse("runc");
    try {
      Processes.Finished end =
          processes.run(
              new Processes.Spawn(
                  List.of(binary, "features"),
                  environment.of("default"),
                  Path.of("/"),
                  new byte[0],
                  true),
              limit,
              MAX_OUTPUT);
      if (end.status() == 0) {
        return Optional.of(end.output());
      }
      LOG.log(Level.DEBUG, "{0} has no features command", binary);
      return Optional.empty();
    } catch (IOException e) {
      LOG.log(Level.WARNING, binary + " features", e);
      return Optional.empty();
    }
  }

  /** Ends the connections; hosts and tasks live on. */
  @Override
  public void close() {
    for (CompletableFuture<Shim> slot : hosts.values()) {
      if (slot.state() == Future.State.SUCCESS) {
        slot.resultNow().end();
      }
    }
    hosts.clear();
  }
}

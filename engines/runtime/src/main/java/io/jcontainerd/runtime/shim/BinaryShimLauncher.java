package io.jcontainerd.runtime.shim;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import io.jcontainerd.api.runtime.bootstrap.v1.BootstrapParams;
import io.jcontainerd.api.runtime.bootstrap.v1.Extension;
import io.jcontainerd.api.runtime.bootstrap.v1.LogLevel;
import io.jcontainerd.api.runtime.task.v3.DeleteResponse;
import io.jcontainerd.api.types.RuntimeInfo;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.DeadlineExceededException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.failure.UnknownException;
import io.jcontainerd.core.ports.Processes;
import io.jcontainerd.core.tasks.Exit;
import io.jcontainerd.runtime.bundle.Bundle;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.ttrpc.UnixSockets;
import io.jcontainerd.wire.Times;
import io.jcontainerd.wire.TypedValues;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Shims that are programs of their own, driven by the shim protocol: {@code start} prints an
 * address, {@code delete} cleans up after a dead one, {@code -info} tells what it can do.
 */
public final class BinaryShimLauncher implements ShimLauncher {
  private static final System.Logger LOG = System.getLogger("io.jcontainerd.runtime");
  private static final int MAX_OUTPUT = 10 << 20;

  private final ShimBinaries binaries;
  private final Bundles bundles;
  private final Processes processes;
  private final ShimEnvironment environment;
  private final ShimLogs logs;
  private final Timeouts timeouts;

  /** Programs that take bare options on their standard input, as all did up to release 2.2. */
  private final Set<Path> takesBareOptions = ConcurrentHashMap.newKeySet();

  /** A launcher of programs that are found by the rules of {@link ShimBinaries}. */
  public BinaryShimLauncher(
      ShimBinaries binaries,
      Bundles bundles,
      Processes processes,
      ShimEnvironment environment,
      ShimLogs logs,
      Timeouts timeouts) {
    this.binaries = binaries;
    this.bundles = bundles;
    this.processes = processes;
    this.environment = environment;
    this.logs = logs;
    this.timeouts = timeouts;
  }

  @Override
  public boolean keeps(String runtime) {
    return true;
  }

  @Override
  public boolean owns(Bundle bundle) {
    return true;
  }

  @Override
  public Shim launch(Bundle bundle, Launch launch) throws InterruptedException {
    Path binary = binaries.resolve(launch.runtime());
    bundles.write(bundle, Bundle.SHIM_BINARY, binary.toString().getBytes(UTF_8), 0600);
    try {
      logs.open(bundle);
    } catch (IOException e) {
      throw new UnknownException(bundle + ": log: " + e.getMessage(), e);
    }
    boolean started = true;
    Shim shim = null;
    try {
      Processes.Finished end = start(binary, bundle, launch);
      if (end.status() != 0) {
        started = false; // it has undone what it did
        throw new UnknownException(
            "failed to start shim: start failed: " + text(end) + ": exit status " + end.status());
      }
      ShimAddress address = ShimAddress.parse(end.output().length > 0 ? end.output() : end.error());
      shim = Shim.connect(address, Limits.atMost(timeouts.connect()));
      bundles.write(bundle, Bundle.BOOTSTRAP, address.toJson(), 0644);
      return shim;
    } catch (ContainerdException | InterruptedException e) {
      if (shim != null) {
        shim.close();
      }
      logs.close(bundle);
      if (started) {
        reapQuietly(bundle, launch.runtime(), e);
      }
      throw e;
    }
  }

  /** Undoes a start whose caller fails already; not interrupted by the caller's own interrupt. */
  private void reapQuietly(Bundle bundle, String runtime, Exception failure) {
    boolean interrupted = Thread.interrupted();
    try {
      reap(bundle, runtime, timeouts.shimCleanup());
    } catch (ContainerdException e) {
      failure.addSuppressed(e);
    } catch (InterruptedException e) {
      failure.addSuppressed(e);
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private Processes.Finished start(Path binary, Bundle bundle, Launch launch)
      throws InterruptedException {
    List<String> command = command(binary, bundle);
    if (environment.debug()) {
      command.add("-debug");
    }
    command.add("start");
    boolean bare =
        takesBareOptions.contains(binary)
            || List.of("containerd-shim-runc-v1", "containerd-shim-runhcs-v1")
                .contains(String.valueOf(binary.getFileName()));
    Processes.Finished end =
        run(command, bundle, bare ? options(launch) : parameters(bundle, launch));
    if (!bare && end.status() != 0 && text(end).contains("type with url")) {
      // a shim of old took the parameters for an Any; it has undone its start
      LOG.log(Level.DEBUG, "{0} takes bare options: {1}", binary, text(end));
      end = run(command, bundle, options(launch));
      if (end.status() == 0) {
        takesBareOptions.add(binary);
      }
    }
    return end;
  }

  private List<String> command(Path binary, Bundle bundle) {
    return new ArrayList<>(
        List.of(
            binary.toString(),
            "-namespace",
            bundle.namespace(),
            "-address",
            environment.grpcAddress(),
            "-publish-binary",
            environment.daemonBinary(),
            "-id",
            bundle.id()));
  }

  private Processes.Finished run(List<String> command, Bundle bundle, byte[] input)
      throws InterruptedException {
    var spawn =
        new Processes.Spawn(
            command, environment.of(bundle.namespace()), bundle.path(), input, true);
    try {
      return processes.run(spawn, Limits.atMost(timeouts.shimStart()), MAX_OUTPUT);
    } catch (IOException e) {
      throw new UnknownException(
          "failed to start shim: " + command.getFirst() + ": " + e.getMessage(), e);
    }
  }

  private byte[] parameters(Bundle bundle, Launch launch) {
    BootstrapParams.Builder parameters =
        BootstrapParams.newBuilder()
            .setInstanceId(bundle.id())
            .setNamespace(bundle.namespace())
            .setLogLevel(environment.debug() ? LogLevel.LOG_LEVEL_DEBUG : LogLevel.LOG_LEVEL_INFO)
            .setContainerdVersion(environment.daemonVersion())
            .setContainerdTtrpcAddress(environment.ttrpcAddress())
            .setContainerdGrpcAddress(environment.grpcAddress())
            .setContainerdBinary(environment.daemonBinary())
            .setSocketDir(environment.socketFolder().toString());
    launch
        .options()
        .ifPresent(
            o -> parameters.addExtensions(Extension.newBuilder().setValue(TypedValues.toApi(o))));
    return parameters.build().toByteArray();
  }

  private static byte[] options(Launch launch) {
    return launch.options().map(o -> TypedValues.toApi(o).toByteArray()).orElse(new byte[0]);
  }

  private static String text(Processes.Finished end) {
    return (new String(end.output(), UTF_8) + new String(end.error(), UTF_8)).strip();
  }

  @Override
  public Shim reconnect(Bundle bundle, Duration limit) throws InterruptedException {
    ShimAddress address = address(bundles, bundle);
    try {
      logs.open(bundle);
    } catch (IOException e) {
      // the shim is worth more than its log lines
      LOG.log(Level.WARNING, "log of " + bundle, e);
    }
    try {
      return Shim.connect(address, limit);
    } catch (ContainerdException | InterruptedException e) {
      logs.close(bundle);
      throw e;
    }
  }

  /** Reads how to find the shim; the way of old is replaced by the present one. */
  static ShimAddress address(Bundles bundles, Bundle bundle) {
    Optional<String> json = bundles.readText(bundle, Bundle.BOOTSTRAP);
    if (json.isPresent()) {
      try {
        return ShimAddress.json(json.get());
      } catch (InvalidArgumentException e) {
        throw new UnavailableException(bundle + ": bootstrap.json: " + e.getMessage(), e);
      }
    }
    String old =
        bundles
            .readText(bundle, Bundle.OLD_ADDRESS)
            .filter(t -> !t.isEmpty())
            .orElseThrow(() -> new UnavailableException(bundle + " names no shim"));
    var address = new ShimAddress(2, old, "ttrpc");
    try {
      bundles.write(bundle, Bundle.BOOTSTRAP, address.toJson(), 0644);
    } catch (ContainerdException e) { // it is found by the old way the next time, too
      LOG.log(Level.WARNING, "address of the shim of " + bundle, e);
    }
    return address;
  }

  @Override
  public Optional<Shim> successor(Bundle bundle) {
    return Optional.empty();
  }

  @Override
  public boolean forgetsEvents() {
    return true;
  }

  @Override
  public void release(Shim shim, Bundle bundle, Duration limit) throws InterruptedException {
    try {
      shim.shutdown(bundle.namespace(), bundle.id(), limit);
    } catch (ContainerdException e) {
      // many a shim is gone before its answer is
      if (!Shim.isLost(e)) {
        LOG.log(Level.WARNING, "shutdown of the shim of " + bundle, e);
      }
    } finally {
      shim.close();
      logs.close(bundle);
    }
  }

  @Override
  public Exit reap(Bundle bundle, String runtime, Duration limit) throws InterruptedException {
    logs.close(bundle);
    Path binary =
        bundles
            .readText(bundle, Bundle.SHIM_BINARY)
            .filter(t -> !t.isEmpty())
            .map(Path::of)
            .orElseGet(() -> binaries.resolve(runtime));
    List<String> command = command(binary, bundle);
    command.add("-bundle");
    command.add(bundle.path().toString());
    if (environment.debug()) {
      command.add("-debug");
    }
    command.add("delete");
    var spawn =
        new Processes.Spawn(
            command, environment.of(bundle.namespace()), bundle.path(), new byte[0], true);
    Processes.Finished end;
    try {
      end = processes.run(spawn, limit, MAX_OUTPUT);
    } catch (IOException e) {
      throw new UnknownException(bundle + ": " + binary + " delete: " + e.getMessage(), e);
    }
    removeSocket(bundle);
    String warnings = new String(end.error(), UTF_8).strip();
    if (end.status() != 0) {
      throw new UnknownException(
          bundle + ": " + binary + " delete: " + warnings + ": exit status " + end.status());
    }
    if (!warnings.isEmpty()) {
      LOG.log(Level.WARNING, "clean-up of {0}: {1}", bundle, warnings);
    }
    try {
      DeleteResponse response = DeleteResponse.parseFrom(end.output());
      return new Exit(
          response.getPid(),
          response.getExitStatus(),
          response.hasExitedAt() ? Times.toCore(response.getExitedAt()) : Instant.now());
    } catch (InvalidProtocolBufferException e) {
      throw new UnknownException(bundle + ": " + binary + " delete printed no answer", e);
    }
  }

  /** A shim that was killed leaves its socket, which is removed unless somebody answers there. */
  private void removeSocket(Bundle bundle) throws InterruptedException {
    try {
      Path socket = address(bundles, bundle).socket();
      if (!Files.exists(socket)) {
        return;
      }
      try {
        UnixSockets.connect(socket, timeouts.connect()).close();
      } catch (SocketTimeoutException e) {
        LOG.log(Level.DEBUG, "busy socket " + socket, e);
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "nobody at " + socket, e);
        Files.deleteIfExists(socket);
      }
    } catch (ContainerdException e) {
      LOG.log(Level.DEBUG, "no socket to remove of " + bundle, e);
    } catch (IOException e) {
      LOG.log(Level.WARNING, "socket of the shim of " + bundle, e);
    }
  }

  @Override
  public RuntimeInfo info(String runtime, Optional<TypedValue> options, Duration limit)
      throws InterruptedException {
    Path binary = binaries.resolve(runtime);
    byte[] input = options.map(o -> TypedValues.toApi(o).toByteArray()).orElse(new byte[0]);
    var spawn =
        new Processes.Spawn(
            List.of(binary.toString(), "-info"),
            environment.of("default"),
            Path.of("/"),
            input,
            true);
    try {
      Processes.Finished end = processes.run(spawn, limit, MAX_OUTPUT);
      if (end.status() != 0) {
        throw new UnknownException(
            "failed to run " + binary + " -info: " + text(end) + ": exit status " + end.status());
      }
      return RuntimeInfo.parseFrom(end.output());
    } catch (InvalidProtocolBufferException e) {
      throw new UnknownException(binary + " -info printed no answer", e);
    } catch (DeadlineExceededException e) {
      throw e;
    } catch (IOException e) {
      throw new UnknownException("failed to run " + binary + " -info: " + e.getMessage(), e);
    }
  }
}

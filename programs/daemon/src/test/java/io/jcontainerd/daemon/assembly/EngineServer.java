package io.jcontainerd.daemon.assembly;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.content.LocalContentStore;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.daemon.server.GrpcListener;
import io.jcontainerd.daemon.server.SocketFile;
import io.jcontainerd.daemon.settings.ServerSettings;
import io.jcontainerd.diff.LayerApplier;
import io.jcontainerd.diff.LayerComparer;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.services.Services;
import io.jcontainerd.snapshots.Environment;
import io.jcontainerd.snapshots.LinuxTrees;
import io.jcontainerd.snapshots.OverlaySnapshotter;
import io.jcontainerd.snapshots.OverlaySupport;
import io.jcontainerd.snapshots.SnapshotSchema;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A process of its own that serves our engines as a plug-in of another daemon does: bare, without
 * namespaces, records or a collector. It serves as many sets of engines as it is told on its
 * standard input, a line each, and ends when that does.
 */
final class EngineServer implements AutoCloseable {
  static final String SNAPSHOTTER = "elsewhere";
  private static final int PATIENCE = 60;

  /** One process serves all tests that do not kill it. */
  private static @Nullable Process common;

  private final Process process;
  private final Path socket;

  private EngineServer(Process process, Path socket) {
    this.process = process;
    this.socket = socket;
  }

  /** What runs in the process; a line is "+SNAPSHOTS OWN SOCKET" or "-SOCKET". */
  public static void main(String[] arguments) throws IOException {
    var served = new HashMap<String, Engines>();
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] words = line.substring(1).split(" ", -1);
        if (line.startsWith("+")) {
          served.put(
              words[2], Engines.open(Path.of(words[0]), Path.of(words[1]), Path.of(words[2])));
        } else {
          Objects.requireNonNull(served.remove(words[0]), "engines").close();
        }
      }
    } finally {
      served.values().forEach(Engines::close);
    }
  }

  /** Engines behind a socket. */
  private record Engines(Store store, Snapshotter snapshotter, GrpcListener listener)
      implements AutoCloseable {
    static Engines open(Path snapshots, Path own, Path socket) throws IOException {
      Path temporary = own.resolve("tmpmounts");
      var files = new LinuxFiles();
      var kernel = new LinuxKernel(temporary);
      var mounter = new Mounter(kernel, temporary);
      Store store =
          Store.open(
              own.resolve("engines.db"), StoreOptions.DEFAULTS, List.of(SnapshotSchema.SCHEMA));
      var environment = new Environment(store, files, kernel, new LinuxTrees(), Time.SYSTEM);
      var snapshotter =
          OverlaySnapshotter.open(
              snapshots,
              environment,
              OverlaySupport.probe(snapshots, files, kernel),
              OverlaySnapshotter.Options.DEFAULTS);
      var content =
          LocalContentStore.open(own.resolve("content"), files, Time.SYSTEM, kernel.bootId());
      var services =
          List.of(
              Services.version("1.0.0", "", Time.SYSTEM),
              Services.snapshots(Map.of(SNAPSHOTTER, snapshotter), Time.SYSTEM),
              Services.content(content, Time.SYSTEM),
              Services.diff(
                  List.of(new LayerApplier(content, mounter)),
                  List.of(new LayerComparer(content, mounter)),
                  false,
                  Time.SYSTEM));
      int limit = (int) ServerSettings.MAX_MESSAGE_SIZE;
      return new Engines(
          store,
          snapshotter,
          GrpcListener.open(new SocketFile(socket, 0, 0), limit, limit, services, List.of()));
    }

    @Override
    public void close() {
      listener.close();
      snapshotter.close();
      store.close();
    }
  }

  /** Engines in the process that all tests share. */
  static synchronized EngineServer start(Path snapshots, Path own)
      throws IOException, InterruptedException {
    Process process = common;
    if (process == null || !process.isAlive()) {
      process = launch();
      common = process;
    }
    return serve(process, snapshots, own);
  }

  /** Engines in a process of their own, which may be killed. */
  static EngineServer alone(Path snapshots, Path own) throws IOException, InterruptedException {
    return serve(launch(), snapshots, own);
  }

  private static Process launch() throws IOException {
    String path =
        Stream.of(
                Path.of("target/test-classes").toAbsolutePath().toString(),
                System.getProperty("jdk.module.path", ""),
                System.getProperty("java.class.path", ""))
            .filter(part -> !part.isEmpty())
            .collect(Collectors.joining(File.pathSeparator));
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-Xmx256m",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            path,
            EngineServer.class.getName())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private static EngineServer serve(Process process, Path snapshots, Path own)
      throws IOException, InterruptedException {
    Path socket = own.resolve("engines.sock");
    tell(process, "+" + snapshots + " " + own + " " + socket);
    var server = new EngineServer(process, socket);
    server.await("the engines do not start", () -> Files.exists(socket));
    try (Containerd engines = Containerd.connect(socket.toString())) {
      engines.awaitReady(Duration.ofSeconds(PATIENCE)); // it listens a little later
    }
    return server;
  }

  private static void tell(Process process, String line) throws IOException {
    process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
  }

  private void await(String complaint, BooleanSupplier condition)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE);
    while (!condition.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IOException(complaint);
      }
      process.waitFor(10, TimeUnit.MILLISECONDS);
    }
  }

  Path socket() {
    return socket;
  }

  /** Kills the process, as a crash would. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws IOException, InterruptedException {
    if (process.isAlive()) {
      tell(process, "-" + socket);
      await("the engines do not end", () -> Files.notExists(socket));
    }
    if (process != common && process.isAlive()) {
      process.getOutputStream().close();
      if (!process.waitFor(PATIENCE, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
        throw new IOException("the process of the engines does not end");
      }
    }
  }
}

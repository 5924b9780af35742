package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.settings.PluginTables;
import io.jcontainerd.daemon.settings.RuntimeSettings;
import io.jcontainerd.daemon.settings.ServerSettings;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.runtime.LocalTaskRuntime;
import io.jcontainerd.runtime.OciRuntimes;
import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.restart.RestartMonitor;
import io.jcontainerd.runtime.sandbox.PodSandboxes;
import io.jcontainerd.runtime.sandbox.ShimSandboxes;
import io.jcontainerd.runtime.shim.BinaryShimLauncher;
import io.jcontainerd.runtime.shim.FifoShimLogs;
import io.jcontainerd.runtime.shim.HostShimLauncher;
import io.jcontainerd.runtime.shim.SandboxEndpoints;
import io.jcontainerd.runtime.shim.ShimBinaries;
import io.jcontainerd.runtime.shim.ShimEnvironment;
import io.jcontainerd.runtime.shim.ShimGroup;
import io.jcontainerd.runtime.shim.Timeouts;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Shims and the tasks that they keep. */
final class RuntimePlugins {
  private static final Path SOCKETS = Path.of("/run/containerd/s");
  private static final String TIMEOUT = "io.containerd.timeout.";

  private final LoadedConfig config;
  private final BuildInfo build;
  private final Path root;
  private final Path state;
  private final OperationRegistry operations;

  RuntimePlugins(
      LoadedConfig config, BuildInfo build, Path root, Path state, OperationRegistry operations) {
    this.config = config;
    this.build = build;
    this.root = root;
    this.state = state;
    this.operations = operations;
  }

  void addTo(PluginGraph graph) {
    graph.add(new PluginSpec<>(Keys.OPT, List.of(), _ -> optionalPrograms()));
    graph.add(
        new PluginSpec<>(Keys.SHIMS, List.of(Keys.MACHINE.type(), Keys.OPT.type()), this::shims));
    graph.add(
        new PluginSpec<>(
            Keys.TASKS,
            List.of(Keys.SHIMS.type(), Keys.METADATA.type(), Keys.MOUNTS.type(), Keys.SANDBOXES),
            this::tasks));
    graph.add(
        new PluginSpec<>(Keys.SHIM_SANDBOXES, List.of(Keys.SHIMS.type()), this::shimSandboxes));
    graph.add(new PluginSpec<>(Keys.PODS, List.of(Keys.TASKS.type()), this::pods));
    graph.add(
        new PluginSpec<>(
            Keys.RESTARTS,
            // the last to start and the first to close: events of what it starts find their way
            List.of(Keys.TASKS.type(), Keys.METADATA.type(), Keys.SERVER),
            this::restarts));
  }

  private Started<OptionalPrograms> optionalPrograms() {
    String path = config.settings(Keys.OPT.uri(), RuntimeSettings.Opt.class).path();
    return Started.of(new OptionalPrograms(Path.of(path))).exporting(Map.of("path", path));
  }

  /** Where the launchers of this distribution are; the launcher script says so. */
  private static Path program(String name) {
    String folder = System.getProperty("jcontainerd.bin", "");
    return folder.isEmpty() ? Path.of(name) : Path.of(folder, name);
  }

  private Started<Shims> shims(Wiring wiring) throws IOException {
    Machine machine = wiring.get(Keys.MACHINE);
    OptionalPrograms opt = wiring.get(Keys.OPT);
    var settings = config.settings(Keys.SHIMS.uri(), RuntimeSettings.ShimManager.class);
    var host = config.settings(PluginTables.SHIM_HOST, RuntimeSettings.ShimHost.class);
    Path sockets = settings.socketDir().isEmpty() ? SOCKETS : Path.of(settings.socketDir());
    machine.files().createDirectories(sockets, 0700);
    var bundles =
        new Bundles(
            machine.files(),
            machine.kernel(),
            state.resolve(Keys.TASKS.uri()),
            root.resolve(Keys.TASKS.uri()));
    ShimEnvironment environment = environment(opt, settings, sockets);
    Timeouts timeouts = timeouts();
    Path hosts = state.resolve(PluginTables.SHIM_HOST);
    machine.files().createDirectories(hosts, 0700);
    Path hostProgram =
        host.path().isEmpty() ? program("jcontainerd-shim-host") : Path.of(host.path());
    FifoShimLogs logs = FifoShimLogs.start();
    RuntimeChoice choice = choice(machine, opt, host.ociRuntime(), hosts);
    var hostLauncher =
        new HostShimLauncher(
            List.of(hostProgram.toString()),
            program("containerd-shim-jrunc-v2"),
            Set.of(LocalTaskRuntime.DEFAULT_RUNTIME),
            ShimGroup.of(host.shimGroup()),
            bundles,
            machine.processes(),
            environment,
            logs,
            hosts,
            choice::chosen,
            timeouts);
    var binaries = new ShimBinaries(ShimBinaries.searchPath(opt.searchPath()));
    var binaryLauncher =
        new BinaryShimLauncher(binaries, bundles, machine.processes(), environment, logs, timeouts);
    var sandboxes =
        new Bundles(
            machine.files(),
            machine.kernel(),
            state.resolve(Keys.SHIM_SANDBOXES.uri()),
            root.resolve(Keys.SHIM_SANDBOXES.uri()));
    var sandboxLauncher =
        new BinaryShimLauncher(
            binaries, sandboxes, machine.processes(), environment, logs, timeouts);
    return Started.of(
        new Shims(
            bundles,
            List.of(hostLauncher, binaryLauncher),
            hostLauncher,
            sandboxes,
            sandboxLauncher,
            logs,
            choice));
  }

  private RuntimeChoice choice(
      Machine machine, OptionalPrograms opt, String configured, Path scratch) {
    List<String> names = configured.isEmpty() ? OciRuntimes.KNOWN : List.of(configured);
    return RuntimeChoice.begin(
        () ->
            OciRuntimes.prove(
                names, opt.searchPath(), machine.files(), machine.processes(), scratch));
  }

  private ShimEnvironment environment(
      OptionalPrograms opt, RuntimeSettings.ShimManager settings, Path sockets) {
    var variables = new LinkedHashMap<String, String>();
    variables.put("PATH", opt.searchPath());
    variables.put("LD_LIBRARY_PATH", opt.libraryPath());
    if (!config.daemon().temp().isEmpty()) {
      variables.put("TMPDIR", config.daemon().temp());
    }
    for (String entry : settings.env()) {
      int equals = entry.indexOf('=');
      variables.put(entry.substring(0, equals), entry.substring(equals + 1));
    }
    String level = config.daemon().debug().level();
    return new ShimEnvironment(
        config.settings(Keys.GRPC.uri(), ServerSettings.Grpc.class).address(),
        config.settings(Keys.TTRPC.uri(), ServerSettings.Ttrpc.class).address(),
        program("jcontainerd").toString(),
        build.version(),
        sockets,
        variables,
        level.equals("debug") || level.equals("trace"));
  }

  private Timeouts timeouts() {
    Timeouts defaults = Timeouts.DEFAULT;
    return new Timeouts(
        timeout("shim.cleanup", defaults.shimCleanup()),
        timeout("shim.load", defaults.shimLoad()),
        timeout("shim.shutdown", defaults.shimShutdown()),
        timeout("task.state", defaults.taskState()),
        timeout("metrics.shimstats", defaults.shimStats()),
        defaults.connect(),
        defaults.shimStart(),
        defaults.operation());
  }

  private Duration timeout(String name, Duration fallback) {
    return config.daemon().timeouts().getOrDefault(TIMEOUT + name, fallback);
  }

  private Started<ShimSandboxes> shimSandboxes(Wiring wiring) throws InterruptedException {
    Shims shims = wiring.get(Keys.SHIMS);
    var sandboxes = new ShimSandboxes(shims.sandboxBundles(), shims.sandboxLauncher(), timeouts());
    boolean recovered = false;
    try {
      sandboxes.recover();
      recovered = true;
    } finally {
      if (!recovered) {
        sandboxes.close();
      }
    }
    return Started.of(sandboxes).on(StoragePlugins.HOST);
  }

  private Started<PodSandboxes> pods(Wiring wiring) throws InterruptedException {
    Machine machine = wiring.get(Keys.MACHINE);
    var bundles =
        new Bundles(
            machine.files(),
            machine.kernel(),
            state.resolve(Keys.PODS.uri()),
            root.resolve(Keys.PODS.uri()));
    var pods =
        new PodSandboxes(
            bundles,
            machine.files(),
            machine.kernel(),
            machine.processes(),
            wiring.get(Keys.TASKS),
            StoragePlugins.HOST);
    pods.recover();
    return Started.of(pods).on(StoragePlugins.HOST);
  }

  private Started<LocalTaskRuntime> tasks(Wiring wiring) throws InterruptedException {
    Shims shims = wiring.get(Keys.SHIMS);
    Metadata metadata = wiring.get(Keys.METADATA);
    var tasks =
        new LocalTaskRuntime(
            shims.bundles(),
            shims.launchers(),
            wiring.get(Keys.MACHINE).processes(),
            metadata.events(),
            wiring.find(Keys.MOUNTS),
            wiring
                .find(Keys.SHIM_SANDBOXES)
                .<SandboxEndpoints>map(known -> known)
                .orElse(SandboxEndpoints.NONE),
            operations,
            timeouts());
    boolean recovered = false;
    try {
      tasks.recover((namespace, id) -> runtimeName(metadata, namespace, id));
      recovered = true;
    } finally {
      if (!recovered) {
        tasks.close();
      }
    }
    return Started.of(tasks)
        .on(StoragePlugins.HOST)
        .exporting(Map.of("log-uri-schemes", "fifo,binary,binary-v2,file"));
  }

  private Started<RestartMonitor> restarts(Wiring wiring) {
    Metadata metadata = wiring.get(Keys.METADATA);
    var settings = config.settings(Keys.RESTARTS.uri(), RuntimeSettings.RestartMonitor.class);
    var monitor =
        new RestartMonitor(
            metadata.namespaces(),
            metadata.containers(),
            metadata.snapshotters(),
            wiring.get(Keys.TASKS),
            settings.interval(),
            wiring.get(Keys.MACHINE).time());
    return Started.of(monitor.start()).capableOf(RestartMonitor.POLICIES);
  }

  private static Optional<String> runtimeName(Metadata metadata, String namespace, String id) {
    return Call.in(namespace)
        .call(
            () -> {
              try {
                return Optional.of(metadata.containers().get(id).runtime().name());
              } catch (NotFoundException e) {
                return Optional.empty();
              }
            });
  }
}

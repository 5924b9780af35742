package io.jcontainerd.daemon.assembly;

import io.grpc.ServerServiceDefinition;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.diff.LayerImages;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.images.ImageVerifier;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.transfer.Transfers;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.settings.ImageSettings;
import io.jcontainerd.daemon.settings.StorageSettings;
import io.jcontainerd.diff.ErofsLayerImages;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.oci.platform.Platforms;
import io.jcontainerd.registry.ConfiguredRegistries;
import io.jcontainerd.registry.EnvironmentProxies;
import io.jcontainerd.registry.RegistryOptions;
import io.jcontainerd.registry.hosts.HostsDirectory;
import io.jcontainerd.services.Services;
import io.jcontainerd.services.StreamRegistry;
import io.jcontainerd.transfer.TransferEngine;
import io.jcontainerd.transfer.TransferParts;
import io.jcontainerd.transfer.TransferSettings;
import io.jcontainerd.transfer.verify.BindirVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Moving images, and the streams that clients open for it. */
final class TransferPlugins {
  private static final Platform HOST = Platforms.host();

  /** {@code progress_timeout} is of pulls. */
  private static final Duration OF_PUSHES = Duration.ofSeconds(60);

  private final LoadedConfig config;
  private final Path root;
  private final OperationRegistry operations;

  TransferPlugins(LoadedConfig config, Path root, OperationRegistry operations) {
    this.config = config;
    this.root = root;
    this.operations = operations;
  }

  void addTo(PluginGraph graph) {
    graph.add(
        new PluginSpec<>(
            Keys.STREAMS,
            List.of(Keys.LEASES.type()),
            wiring -> Started.of(new StreamRegistry(wiring.get(Keys.LEASES)))));
    graph.add(new PluginSpec<>(Keys.VERIFIER, List.of(Keys.MACHINE.type()), this::verifier));
    graph.add(
        new PluginSpec<>(
            Keys.TRANSFER,
            List.of(Keys.METADATA.type(), Keys.LEASES.type(), Keys.DIFFER, Keys.VERIFIER.type()),
            this::transfers));
    rpc(
        graph,
        "streaming",
        List.of(Keys.STREAMS),
        wiring -> Services.streaming(wiring.get(Keys.STREAMS), Time.SYSTEM));
    rpc(
        graph,
        "transfer",
        List.of(Keys.TRANSFER, Keys.STREAMS),
        wiring ->
            Services.transfer(wiring.get(Keys.TRANSFER), wiring.get(Keys.STREAMS), Time.SYSTEM));
  }

  /** Makes a gRPC service from what has started. */
  @FunctionalInterface
  private interface Definition {
    ServerServiceDefinition of(Wiring wiring);
  }

  private static void rpc(
      PluginGraph graph, String id, List<PluginKey<?>> requires, Definition definition) {
    graph.add(
        new PluginSpec<>(
            Keys.rpc(id),
            requires.stream().map(PluginKey::type).toList(),
            wiring -> Started.of(definition.of(wiring))));
  }

  private Started<ImageVerifier> verifier(Wiring wiring) {
    var settings = config.settings(Keys.VERIFIER.uri(), ImageSettings.ImageVerifier.class);
    return Started.of(
        new BindirVerifier(
            Path.of(settings.binDir()),
            settings.maxVerifiers(),
            settings.perVerifierTimeout(),
            wiring.get(Keys.MACHINE).processes(),
            System.getenv()));
  }

  /** Where layers are unpacked for it, nothing is left of a daemon that was killed. */
  private LayerImages layerImages(Wiring wiring) throws IOException {
    Machine machine = wiring.get(Keys.MACHINE);
    var settings = config.settings(Keys.EROFS_DIFFER.uri(), StorageSettings.ErofsDiffer.class);
    Path folder = root.resolve(Keys.TRANSFER.uri()).resolve("images");
    machine.files().createDirectories(folder, 0700);
    machine.files().deleteTree(folder);
    return new ErofsLayerImages(
        StoragePlugins.quietApplier(config, wiring),
        machine.files(),
        machine.processes(),
        folder,
        settings.mkfsOptions());
  }

  private Started<Transfers> transfers(Wiring wiring) throws IOException {
    var settings = config.settings(Keys.TRANSFER.uri(), ImageSettings.Transfer.class);
    Metadata metadata = wiring.get(Keys.METADATA);
    Machine machine = wiring.get(Keys.MACHINE);
    Map<String, Differ> differs = wiring.all(Keys.DIFFER, Differ.class);
    var parts =
        new TransferParts(
            metadata.content(),
            metadata.images(),
            metadata.leases(),
            name -> Optional.ofNullable(metadata.snapshotters().get(name)),
            name -> Optional.ofNullable(differs.get(name)).map(Differ::applier),
            new ConfiguredRegistries(registries(settings)),
            wiring.everyOne(Keys.VERIFIER.type(), ImageVerifier.class),
            Optional.of(layerImages(wiring)),
            StoragePlugins.limits(config)::bytesFor,
            new MachineSpace(
                machine.kernel(),
                root,
                name ->
                    Optional.ofNullable(metadata.snapshotters().get(name))
                        .map(snapshotter -> snapshotter.exports().get("root"))
                        .map(Path::of)),
            machine.time());
    return new Started<>(
        new TransferEngine(parts, settings(settings, metadata, differs), operations),
        List.of(HOST),
        Map.of(),
        List.of());
  }

  private static RegistryOptions registries(ImageSettings.Transfer settings) {
    String folders =
        settings.configPath().isEmpty() ? HostsDirectory.USUAL_ROOTS : settings.configPath();
    // a line may be silent, and an answer be waited for twice, before all patience is at its end
    Duration ofEach = progressTimeout(settings).multipliedBy(3).dividedBy(10);
    return RegistryOptions.defaults()
        .withTimeouts(ofEach, ofEach)
        .withLeastOfPushes(OF_PUSHES)
        .withHosts(HostsDirectory.parse(folders))
        .withProxies(EnvironmentProxies.of(System.getenv()));
  }

  private static Duration progressTimeout(ImageSettings.Transfer settings) {
    if (!settings.progressTimeout().isPositive()) {
      throw new InvalidArgumentException(
          Keys.TRANSFER + ": progress_timeout " + settings.progressTimeout() + " is not positive");
    }
    return settings.progressTimeout();
  }

  private static TransferSettings settings(
      ImageSettings.Transfer settings, Metadata metadata, Map<String, Differ> differs) {
    return new TransferSettings(
        number("max_concurrent_downloads", settings.maxConcurrentDownloads()),
        number("max_concurrent_uploaded_layers", settings.maxConcurrentUploadedLayers()),
        number("max_concurrent_unpacks", settings.maxConcurrentUnpacks()),
        settings.concurrentLayerFetchBuffer(),
        progressTimeout(settings),
        settings.checkPlatformSupported(),
        targets(settings, metadata, differs));
  }

  private static int number(String key, long value) {
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new InvalidArgumentException(
          Keys.TRANSFER + ": " + key + " " + value + " is out of range");
    }
    return (int) value;
  }

  /**
   * What is configured; where nothing was, every snapshotter that is there, the usual one first.
   */
  private static List<TransferSettings.Target> targets(
      ImageSettings.Transfer settings, Metadata metadata, Map<String, Differ> differs) {
    List<TransferSettings.Target> targets = new ArrayList<>();
    for (ImageSettings.Unpack unpack : settings.unpackConfig()) {
      String differ = unpack.differ().isEmpty() ? Keys.WALKING.id() : unpack.differ();
      boolean there =
          metadata.snapshotters().containsKey(unpack.snapshotter()) && differs.containsKey(differ);
      if (!there && !unpack.optional() && isConfigured(settings)) {
        throw new InvalidArgumentException(
            "%s: unpack_config names the snapshotter %s and the differ %s, not both of which are there"
                .formatted(Keys.TRANSFER, unpack.snapshotter(), differ));
      }
      if (there) {
        targets.add(
            new TransferSettings.Target(
                Platforms.parse(unpack.platform()),
                unpack.snapshotter(),
                differ,
                unpack.layerTypes()));
      }
    }
    if (!isConfigured(settings)) {
      for (String name : new TreeSet<>(metadata.snapshotters().keySet())) {
        if (targets.stream().noneMatch(target -> target.snapshotter().equals(name))) {
          String differ = differs.containsKey(name) ? name : Keys.WALKING.id();
          targets.add(new TransferSettings.Target(HOST, name, differ, List.of()));
        }
      }
    }
    return targets;
  }

  private static boolean isConfigured(ImageSettings.Transfer settings) {
    return !settings.unpackConfig().equals(ImageSettings.Transfer.defaults().unpackConfig());
  }
}

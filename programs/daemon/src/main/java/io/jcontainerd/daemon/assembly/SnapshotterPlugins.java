package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.Sizes;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.SkipPlugin;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.settings.StorageSettings;
import io.jcontainerd.snapshots.BlockfileSnapshotter;
import io.jcontainerd.snapshots.BtrfsSnapshotter;
import io.jcontainerd.snapshots.DevmapperSnapshotter;
import io.jcontainerd.snapshots.Environment;
import io.jcontainerd.snapshots.ErofsSnapshotter;
import io.jcontainerd.snapshots.LinuxTrees;
import io.jcontainerd.snapshots.NativeSnapshotter;
import io.jcontainerd.snapshots.OverlaySnapshotter;
import io.jcontainerd.snapshots.OverlaySupport;
import io.jcontainerd.snapshots.UnpackNotes;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The snapshotters that come with the daemon. One that the machine cannot serve is skipped. */
final class SnapshotterPlugins {
  private static final Logger LOG = System.getLogger(SnapshotterPlugins.class.getName());

  /** Set to {@code off} by whoever measures what durability costs, and by nobody else. */
  private static final String DURABILITY = "JCONTAINERD_BENCH_DURABILITY";

  private final LoadedConfig config;
  private final Path root;
  private final UnpackNotes notes;

  SnapshotterPlugins(LoadedConfig config, Path root, UnpackNotes notes) {
    this.config = config;
    this.root = root;
    this.notes = notes;
  }

  void addTo(PluginGraph graph) {
    add(graph, Keys.NATIVE, this::nativeSnapshots);
    add(graph, Keys.OVERLAYFS, this::overlays);
    add(graph, Keys.BTRFS, this::subvolumes);
    add(graph, Keys.BLOCKFILE, this::blockFiles);
    add(graph, Keys.EROFS, this::erofsImages);
    add(graph, Keys.DEVMAPPER, this::thinDevices);
  }

  private static void add(
      PluginGraph graph, PluginKey<Snapshotter> key, PluginSpec.Start<Snapshotter> start) {
    graph.add(new PluginSpec<>(key, List.of(Keys.STORE.type()), start));
  }

  private Path folder(PluginKey<?> key, String configured) {
    return configured.isEmpty() ? root.resolve(key.uri()) : Path.of(configured);
  }

  private Environment environment(Wiring wiring) {
    Machine machine = wiring.get(Keys.MACHINE);
    return new Environment(
        wiring.get(Keys.STORE),
        machine.files(),
        machine.kernel(),
        new LinuxTrees(),
        machine.time(),
        notes,
        durable());
  }

  private static boolean durable() {
    boolean durable = !"off".equals(System.getenv(DURABILITY));
    if (!durable) {
      LOG.log(
          Level.WARNING,
          "{0}=off: images that are unpacked now may be damaged by a power cut",
          DURABILITY);
    }
    return durable;
  }

  private static Started<Snapshotter> snapshots(Snapshotter snapshotter, Path folder) {
    return new Started<>(
        snapshotter,
        List.of(StoragePlugins.HOST),
        Map.of("root", folder.toString()),
        snapshotter.capabilities().stream().sorted().toList());
  }

  private Started<Snapshotter> nativeSnapshots(Wiring wiring) {
    var settings = config.settings(Keys.NATIVE.uri(), StorageSettings.Native.class);
    Path folder = folder(Keys.NATIVE, settings.rootPath());
    return snapshots(NativeSnapshotter.open(folder, environment(wiring)), folder);
  }

  private Started<Snapshotter> overlays(Wiring wiring) {
    var settings = config.settings(Keys.OVERLAYFS.uri(), StorageSettings.Overlayfs.class);
    Path folder = folder(Keys.OVERLAYFS, settings.rootPath());
    Machine machine = wiring.get(Keys.MACHINE);
    return snapshots(
        OverlaySnapshotter.open(
            folder,
            environment(wiring),
            OverlaySupport.probe(folder, machine.files(), machine.kernel()),
            new OverlaySnapshotter.Options(
                settings.mountOptions(),
                settings.upperdirLabel(),
                settings.syncRemove(),
                settings.slowChown())),
        folder);
  }

  private Started<Snapshotter> subvolumes(Wiring wiring) throws SkipPlugin {
    var settings = config.settings(Keys.BTRFS.uri(), StorageSettings.Btrfs.class);
    Path folder = folder(Keys.BTRFS, settings.rootPath());
    Environment environment = environment(wiring);
    skipFor(BtrfsSnapshotter.reasonAgainst(folder, environment));
    return snapshots(BtrfsSnapshotter.open(folder, environment), folder);
  }

  private Started<Snapshotter> blockFiles(Wiring wiring) throws SkipPlugin {
    var settings = config.settings(Keys.BLOCKFILE.uri(), StorageSettings.Blockfile.class);
    Path folder = folder(Keys.BLOCKFILE, settings.rootPath());
    var options =
        new BlockfileSnapshotter.Options(
            settings.scratchFile(),
            settings.fsType(),
            settings.mountOptions(),
            settings.recreateScratch());
    Environment environment = environment(wiring);
    skipFor(BlockfileSnapshotter.reasonAgainst(folder, environment, options));
    return snapshots(BlockfileSnapshotter.open(folder, environment, options), folder);
  }

  private Started<Snapshotter> erofsImages(Wiring wiring) throws SkipPlugin {
    var settings = config.settings(Keys.EROFS.uri(), StorageSettings.Erofs.class);
    Path folder = folder(Keys.EROFS, settings.rootPath());
    Environment environment = environment(wiring);
    Machine machine = wiring.get(Keys.MACHINE);
    skipFor(ErofsSnapshotter.reasonAgainst(environment, machine.processes()));
    var options =
        new ErofsSnapshotter.Options(
            settings.ovlMountOptions(),
            settings.enableFsverity(),
            settings.setImmutable(),
            settings.defaultSize().isEmpty() ? 0 : Sizes.bytes(settings.defaultSize()),
            settings.dmverityMode(),
            config
                .settings(Keys.EROFS_DIFFER.uri(), StorageSettings.ErofsDiffer.class)
                .mkfsOptions(),
            wiring
                .find(Keys.OVERLAYFS)
                .filter(overlays -> overlays.capabilities().contains("remap-ids"))
                .isPresent());
    return snapshots(
        ErofsSnapshotter.open(folder, environment, machine.processes(), options), folder);
  }

  private Started<Snapshotter> thinDevices(Wiring wiring) throws SkipPlugin {
    var settings = config.settings(Keys.DEVMAPPER.uri(), StorageSettings.Devmapper.class);
    Path folder = folder(Keys.DEVMAPPER, settings.rootPath());
    Environment environment = environment(wiring);
    Machine machine = wiring.get(Keys.MACHINE);
    skipFor(
        DevmapperSnapshotter.reasonAgainst(settings.poolName(), environment, machine.processes()));
    var options =
        new DevmapperSnapshotter.Options(
            settings.poolName(),
            settings.baseImageSize().isEmpty() ? 0 : Sizes.bytes(settings.baseImageSize()),
            settings.asyncRemove(),
            settings.discardBlocks(),
            settings.fsType(),
            settings.fsOptions());
    return snapshots(
        DevmapperSnapshotter.open(folder, environment, machine.processes(), options), folder);
  }

  private static void skipFor(Optional<String> reason) throws SkipPlugin {
    if (reason.isPresent()) {
      throw new SkipPlugin(reason.get());
    }
  }
}

package io.jcontainerd.daemon.assembly;

import io.jcontainerd.content.LocalContentStore;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.DataLossException;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.failure.ResourceExhaustedException;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.SkipPlugin;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.HostPlatform;
import io.jcontainerd.daemon.settings.StorageSettings;
import io.jcontainerd.diff.ErofsApplier;
import io.jcontainerd.diff.LayerApplier;
import io.jcontainerd.diff.LayerComparer;
import io.jcontainerd.diff.LayerLimits;
import io.jcontainerd.diff.processor.StreamProcessor;
import io.jcontainerd.diff.processor.StreamProcessors;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.linux.memory.IdleTrim;
import io.jcontainerd.metadata.GcOptions;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.mounts.ErofsHandler;
import io.jcontainerd.mounts.LocalMountActivator;
import io.jcontainerd.mounts.LoopHandler;
import io.jcontainerd.mounts.MountHandler;
import io.jcontainerd.selfcheck.MountGate;
import io.jcontainerd.selfcheck.Parts;
import io.jcontainerd.selfcheck.ScrubOptions;
import io.jcontainerd.selfcheck.SelfCheck;
import io.jcontainerd.snapshots.SnapshotSchema;
import io.jcontainerd.snapshots.UnpackNotes;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreException;
import io.jcontainerd.store.StoreOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/** Store, content, differs, and the metadata over them and over the snapshotters. */
final class StoragePlugins {
  static final Platform HOST = new Platform("linux", HostPlatform.architecture(), "");

  private final LoadedConfig config;
  private final Path root;
  private final Path state;
  private final Path store;
  private final OperationRegistry operations;
  private final UnpackNotes notes = new UnpackNotes();

  StoragePlugins(
      LoadedConfig config, Path root, Path state, Path store, OperationRegistry operations) {
    this.operations = operations;
    this.config = config;
    this.root = root;
    this.state = state;
    this.store = store;
  }

  void addTo(PluginGraph graph) {
    graph.add(
        new PluginSpec<>(Keys.MACHINE, List.of(), _ -> Started.of(Machine.open(root)).on(HOST)));
    graph.add(new PluginSpec<>(Keys.STORE, List.of(Keys.MACHINE.type()), this::store));
    graph.add(new PluginSpec<>(Keys.MEMORY, List.of(Keys.STORE.type()), StoragePlugins::memory));
    graph.add(new PluginSpec<>(Keys.CONTENT, List.of(Keys.MACHINE.type()), this::content));
    new SnapshotterPlugins(config, root, notes).addTo(graph);
    graph.add(new PluginSpec<>(Keys.GATE, List.of(Keys.STORE.type()), this::gate));
    graph.add(
        new PluginSpec<>(Keys.EROFS_MOUNTS, List.of(Keys.MACHINE.type()), StoragePlugins::erofs));
    graph.add(new PluginSpec<>(Keys.ACTIVATOR, List.of(Keys.EROFS_MOUNTS.type()), this::activator));
    graph.add(
        new PluginSpec<>(
            Keys.METADATA,
            List.of(
                Keys.STORE.type(),
                Keys.CONTENT.type(),
                Keys.GATE.type(),
                Keys.SNAPSHOTTER,
                Keys.ACTIVATOR.type()),
            this::metadata));
    graph.add(new PluginSpec<>(Keys.MOUNTS, List.of(Keys.METADATA.type()), this::mounts));
    graph.add(new PluginSpec<>(Keys.SELF_CHECK, List.of(Keys.METADATA.type()), this::selfCheck));
    part(graph, Keys.EVENTS, Metadata::events);
    part(graph, Keys.COLLECTOR, Metadata::collector);
    part(graph, Keys.LEASES, Metadata::leases);
    part(graph, Keys.SANDBOX_STORE, Metadata::sandboxes);
    graph.add(new PluginSpec<>(Keys.WALKING, List.of(Keys.METADATA.type()), this::differ));
    graph.add(
        new PluginSpec<>(Keys.EROFS_DIFFER, List.of(Keys.METADATA.type()), this::erofsDiffer));
  }

  /** Picks a part of the metadata, which closes it. */
  @FunctionalInterface
  private interface Part<T> {
    T of(Metadata metadata);
  }

  private static <T> void part(PluginGraph graph, PluginKey<T> key, Part<T> part) {
    graph.add(
        new PluginSpec<>(
            key,
            List.of(Keys.METADATA.type()),
            wiring -> Started.of(part.of(wiring.get(Keys.METADATA)))));
  }

  private Started<Store> store(Wiring wiring) throws IOException {
    Machine machine = wiring.get(Keys.MACHINE);
    Path file = root.resolve(store);
    machine.files().createDirectories(Objects.requireNonNull(file.getParent()), 0700);
    try {
      return Started.of(
          Store.open(
              file,
              StoreOptions.DEFAULTS,
              List.of(Metadata.SCHEMA, SnapshotSchema.SCHEMA, MountGate.SCHEMA)));
    } catch (StoreException e) {
      String message = String.valueOf(e.getMessage());
      throw switch (e.kind()) {
        case FULL -> new ResourceExhaustedException(message, e);
        case CORRUPT -> new DataLossException(message, e);
        default -> new FailedPreconditionException(message, e);
      };
    }
  }

  private static Started<IdleTrim> memory(Wiring wiring) {
    return Started.of(
        IdleTrim.start(wiring.get(Keys.MACHINE).time(), wiring.get(Keys.STORE)::shrink));
  }

  private Started<ContentStore> content(Wiring wiring) throws IOException {
    Machine machine = wiring.get(Keys.MACHINE);
    Path folder = root.resolve(Keys.CONTENT.uri());
    return new Started<>(
        LocalContentStore.open(folder, machine.files(), machine.time(), machine.kernel().bootId()),
        List.of(HOST),
        Map.of("root", folder.toString()),
        List.of());
  }

  /** The one that was not disabled: its own, or another process's. */
  private static ContentStore contentStore(Wiring wiring) {
    Map<String, ContentStore> all = wiring.all(Keys.CONTENT_STORES, ContentStore.class);
    if (all.size() > 1) {
      throw new FailedPreconditionException(
          "there are several content stores: "
              + String.join(", ", all.keySet())
              + "; disabled_plugins must name all but one");
    }
    return all.isEmpty() ? wiring.get(Keys.CONTENT) : all.values().iterator().next();
  }

  private static Mounter mounter(Wiring wiring) {
    Mounter mounter = wiring.get(Keys.MACHINE).mounter();
    return wiring.find(Keys.ACTIVATOR).map(mounter::with).orElse(mounter);
  }

  /** Images are made when a snapshot is committed; here layers are put where that finds them. */
  private Started<Differ> erofsDiffer(Wiring wiring) throws SkipPlugin {
    var settings = config.settings(Keys.EROFS_DIFFER.uri(), StorageSettings.ErofsDiffer.class);
    if (settings.enableTarIndex() || settings.enableDmverity()) {
      throw new SkipPlugin(
          "neither enable_tar_index nor enable_dmverity is supported; unset them to use it");
    }
    if (wiring.find(Keys.EROFS).isEmpty()) {
      throw new SkipPlugin("it is for snapshots of " + Keys.EROFS + ", which is not there");
    }
    var applier =
        new ErofsApplier(wiring.get(Keys.METADATA).content(), mounter(wiring), limits(config))
            .through(processors(config, wiring));
    return Started.of(new Differ(applier, applier)).on(HOST);
  }

  private static Started<MountHandler> erofs(Wiring wiring) {
    Machine machine = wiring.get(Keys.MACHINE);
    MountHandler handler = new ErofsHandler(machine.files(), machine.kernel());
    return Started.of(handler).on(HOST);
  }

  /** Images in the daemon's root may be made, and folders in them once they are mounted. */
  private Started<MountActivator> activator(Wiring wiring) {
    Machine machine = wiring.get(Keys.MACHINE);
    var handlers =
        new ArrayList<>(wiring.all(Keys.EROFS_MOUNTS.type(), MountHandler.class).values());
    handlers.add(new LoopHandler());
    var ports =
        new LocalMountActivator.Ports(
            machine.files(), machine.kernel(), machine.processes(), machine.time());
    return Started.of(
        LocalMountActivator.open(
            state.resolve(Keys.MOUNTS.uri()).resolve("t"), List.of(root), ports, handlers));
  }

  private Started<MountManager> mounts(Wiring wiring) throws SkipPlugin {
    return Started.of(
        wiring
            .get(Keys.METADATA)
            .mounts()
            .orElseThrow(() -> new SkipPlugin(Keys.ACTIVATOR + " is disabled")));
  }

  private Started<Metadata> metadata(Wiring wiring) {
    var settings = config.settings(Keys.METADATA.uri(), StorageSettings.Metadata.class);
    if (settings.noSync()) {
      throw new InvalidArgumentException(
          "no_sync is not supported: what the daemon has answered is always durable");
    }
    var gc = config.settings(Keys.COLLECTOR.uri(), StorageSettings.GcScheduler.class);
    var sharing =
        settings.contentSharingPolicy().equals("isolated")
            ? MetadataOptions.ContentSharing.ISOLATED
            : MetadataOptions.ContentSharing.SHARED;
    var options =
        new MetadataOptions(
            sharing,
            new GcOptions(
                gc.pauseThreshold(),
                Math.toIntExact(gc.deletionThreshold()),
                Math.toIntExact(gc.mutationThreshold()),
                gc.scheduleDelay(),
                gc.startupDelay()),
            wiring.get(Keys.MACHINE).time(),
            outside(wiring),
            operations);
    return Started.of(
            Metadata.open(
                wiring.get(Keys.STORE),
                contentStore(wiring),
                guarded(wiring),
                wiring.find(Keys.ACTIVATOR),
                options))
        .exporting(Map.of("policy", settings.contentSharingPolicy()));
  }

  private MetadataOptions.Outside outside(Wiring wiring) {
    return new MetadataOptions.Outside(
        !(contentStore(wiring) instanceof LocalContentStore), ProxyPlugins.snapshotters(config));
  }

  private Started<MountGate> gate(Wiring wiring) {
    var gate = new MountGate(wiring.get(Keys.STORE), wiring.get(Keys.MACHINE).time());
    if (config.daemon().disabledPlugins().contains(Keys.SELF_CHECK.uri())) {
      gate.staysUnguarded(Keys.SELF_CHECK + " is disabled");
    }
    return Started.of(gate);
  }

  private static Map<String, Snapshotter> guarded(Wiring wiring) {
    MountGate gate = wiring.get(Keys.GATE);
    var guarded = new LinkedHashMap<String, Snapshotter>();
    wiring
        .all(Keys.SNAPSHOTTER, Snapshotter.class)
        .forEach((name, snapshotter) -> guarded.put(name, gate.before(name, snapshotter)));
    return guarded;
  }

  private Started<SelfCheck> selfCheck(Wiring wiring) throws IOException, SkipPlugin {
    boolean guarded = false;
    try {
      Started<SelfCheck> started = openSelfCheck(wiring);
      guarded = true;
      return started;
    } finally {
      if (!guarded) {
        wiring.get(Keys.GATE).staysUnguarded(Keys.SELF_CHECK + " did not start");
      }
    }
  }

  private Started<SelfCheck> openSelfCheck(Wiring wiring) throws IOException, SkipPlugin {
    var settings = config.settings(Keys.SELF_CHECK.uri(), StorageSettings.Scrub.class);
    Machine machine = wiring.get(Keys.MACHINE);
    ContentStore content = contentStore(wiring);
    if (!(content instanceof LocalContentStore local)) {
      throw new SkipPlugin("the content store is another program's, which must check it");
    }
    var trees = new LinkedHashMap<String, CheckedTrees>();
    wiring
        .all(Keys.SNAPSHOTTER, Snapshotter.class)
        .forEach(
            (name, snapshotter) -> {
              if (snapshotter instanceof CheckedTrees checked) {
                trees.put(name, checked);
              }
            });
    var parts =
        new Parts(
            local.checked(),
            content,
            trees,
            wiring.get(Keys.METADATA).records(),
            // what was unpacked before, and is known by its digests, needs no limits
            new LayerApplier(content, machine.mounter(), LayerLimits.NONE)
                .through(processors(config, wiring)),
            settings.fetch() ? Optional.of(new LazyRegistry()) : Optional.empty(),
            machine.time());
    var options =
        new ScrubOptions(
            settings.enabled(),
            settings.repair(),
            settings.interval(),
            settings.startupDelay(),
            settings.bytesPerSecond(),
            () -> ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
            settings.maxLoad() * Runtime.getRuntime().availableProcessors());
    return Started.of(
        SelfCheck.open(parts, wiring.get(Keys.GATE), options, machine.kernel().bootId()));
  }

  private Started<Differ> differ(Wiring wiring) {
    var content = wiring.get(Keys.METADATA).content();
    Mounter mounter = mounter(wiring);
    return Started.of(
            new Differ(
                new LayerApplier(content, mounter, limits(config), notes)
                    .through(processors(config, wiring)),
                new LayerComparer(content, mounter)))
        .on(HOST);
  }

  /**
   * The programs of {@code stream_processors}, in order of their ids; what somebody has configured
   * comes before what is there anyway.
   */
  private static StreamProcessors processors(LoadedConfig config, Wiring wiring) {
    Map<String, DaemonSettings.StreamProcessor> usual =
        DaemonSettings.defaults().streamProcessors();
    List<StreamProcessor> all = new ArrayList<>();
    List<StreamProcessor> last = new ArrayList<>();
    new TreeMap<>(config.daemon().streamProcessors())
        .forEach(
            (id, told) ->
                (told.equals(usual.get(id)) ? last : all)
                    .add(
                        new StreamProcessor(
                            id,
                            told.accepts(),
                            told.returns(),
                            told.path(),
                            told.args(),
                            environment(told.env()))));
    all.addAll(last);
    return new StreamProcessors(all, wiring.get(Keys.MACHINE).processes(), System.getenv());
  }

  private static Map<String, String> environment(List<String> words) {
    Map<String, String> environment = new HashMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      environment.put(
          equals < 0 ? word : word.substring(0, equals),
          equals < 0 ? "" : word.substring(equals + 1));
    }
    return environment;
  }

  /** An applier as that of the differ, which tells nobody what it puts in. */
  static LayerApplier quietApplier(LoadedConfig config, Wiring wiring) {
    return new LayerApplier(wiring.get(Keys.METADATA).content(), mounter(wiring), limits(config))
        .through(processors(config, wiring));
  }

  /** One configuration for whoever unpacks. */
  static LayerLimits limits(LoadedConfig config) {
    var settings = config.settings(Keys.WALKING.uri(), StorageSettings.WalkingDiffer.class);
    return new LayerLimits(
        settings.maxLayerBytes(), settings.maxLayerRatio(), settings.maxLayerEntries());
  }
}

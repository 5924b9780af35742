package io.jcontainerd.client;

import io.jcontainerd.content.LocalContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.diff.LayerApplier;
import io.jcontainerd.diff.LayerComparer;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.linux.Mounter;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.services.Services;
import io.jcontainerd.snapshots.Environment;
import io.jcontainerd.snapshots.LinuxTrees;
import io.jcontainerd.snapshots.OverlaySnapshotter;
import io.jcontainerd.snapshots.OverlaySupport;
import io.jcontainerd.snapshots.SnapshotSchema;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.Stores;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The storage of a daemon in this process, behind a real unix socket: the store, content,
 * snapshots, differ and metadata on one folder, and a client.
 */
final class EngineStack implements AutoCloseable {
  private static final OverlaySupport USUAL = new OverlaySupport(true, false, false, true);

  private final Store store;
  private final Snapshotter overlays;
  private final Metadata metadata;
  private final ServedStores served;

  private EngineStack(Store store, Snapshotter overlays, Metadata metadata, ServedStores served) {
    this.store = store;
    this.overlays = overlays;
    this.metadata = metadata;
    this.served = served;
  }

  /** Opens the stack; called again on the same folder after closing, it finds what was there. */
  static EngineStack open(Path root, MetadataOptions options) throws IOException {
    return open(root, root.resolve("overlayfs"), options);
  }

  /**
   * Opens the stack with the snapshots elsewhere.
   *
   * @param snapshots on a file system on which an overlay can lie, if anything is mounted
   */
  static EngineStack open(Path root, Path snapshots, MetadataOptions options) throws IOException {
    Files.createDirectories(root);
    Path temporary = Files.createDirectories(root.resolve("temporary"));
    var kernel = new LinuxKernel(temporary);
    var files = new LinuxFiles();
    Store store =
        Store.open(
            root.resolve("store.db"),
            StoreOptions.DEFAULTS,
            List.of(Metadata.SCHEMA, SnapshotSchema.SCHEMA));
    var content =
        LocalContentStore.open(root.resolve("content"), files, Time.SYSTEM, kernel.bootId());
    Snapshotter overlays =
        OverlaySnapshotter.open(
            snapshots,
            new Environment(store, files, kernel, new LinuxTrees(), Time.SYSTEM),
            USUAL,
            OverlaySnapshotter.Options.DEFAULTS);
    Metadata metadata =
        Metadata.open(store, content, Map.of(OverlaySnapshotter.NAME, overlays), options);
    var mounter = new Mounter(kernel, root.resolve("tmpmounts"));
    List<Applier> appliers = List.of(new LayerApplier(metadata.content(), mounter));
    var served =
        new ServedStores(
            Files.createDirectories(root.resolve("run")),
            List.of(
                Services.namespaces(metadata.namespaces(), Time.SYSTEM),
                Services.containers(metadata.containers(), Time.SYSTEM),
                Services.content(metadata.content(), Time.SYSTEM),
                Services.images(metadata.images(), Time.SYSTEM),
                Services.leases(metadata.leases(), Time.SYSTEM),
                Services.snapshots(metadata.snapshotters(), Time.SYSTEM),
                Services.introspection(
                    new ToldSnapshotter(OverlaySnapshotter.NAME, overlays), Time.SYSTEM),
                Services.diff(
                    appliers,
                    List.of(new LayerComparer(metadata.content(), mounter)),
                    false,
                    Time.SYSTEM)));
    return new EngineStack(store, overlays, metadata, served);
  }

  /** The daemon as its client sees it. */
  Containerd client() {
    return served.connection();
  }

  /** What the client sees, in the namespaces of the calls. */
  Stores stores() {
    return stores(client(), OverlaySnapshotter.NAME);
  }

  /** The stores of a daemon, through a client without a namespace. */
  static Stores stores(Containerd client, String snapshotter) {
    return new Stores(
        client.namespaces(),
        client.images(),
        client.containers(),
        client.content(),
        client.leases(),
        snapshotter,
        client.snapshotter(snapshotter));
  }

  @Override
  public void close() throws InterruptedException {
    served.close();
    metadata.close();
    overlays.close();
    store.close();
  }
}

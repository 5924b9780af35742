package io.jcontainerd.crash.world;

import io.jcontainerd.content.LocalContentStore;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.ports.Files;
import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.metadata.GcOptions;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.metadata.MetadataOptions;
import io.jcontainerd.snapshots.Environment;
import io.jcontainerd.snapshots.NativeSnapshotter;
import io.jcontainerd.snapshots.OverlaySnapshotter;
import io.jcontainerd.snapshots.OverlaySupport;
import io.jcontainerd.snapshots.SnapshotSchema;
import io.jcontainerd.store.Schema;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Store, content store, both snapshotters of folders and the metadata over them: the production
 * code, over files and a kernel in memory and a database in a folder of its own. Nothing happens in
 * it unless asked for: garbage is collected only on request.
 */
public final class World implements AutoCloseable {
  /** Where the engines keep their folders. */
  public static final Path ROOT = Path.of("/root");

  /** The name of the database in its folder. */
  public static final String DATABASE = "store.db";

  /** What the daemon opens its store with. */
  public static final List<Schema> SCHEMAS = List.of(Metadata.SCHEMA, SnapshotSchema.SCHEMA);

  private static final StoreOptions STORE =
      new StoreOptions(64, 64, 4, Duration.ofSeconds(30), 65_536, 0, () -> 0);
  private static final GcOptions GC =
      new GcOptions(0, 0, Integer.MAX_VALUE, Duration.ZERO, Duration.ZERO);

  private final Store store;
  private final Files files;
  private final ContentStore content;
  private final Map<String, Snapshotter> snapshotters;
  private final Metadata metadata;

  private World(
      Store store,
      Files files,
      ContentStore content,
      Map<String, Snapshotter> snapshotters,
      Metadata metadata) {
    this.store = store;
    this.files = files;
    this.content = content;
    this.snapshotters = snapshotters;
    this.metadata = metadata;
  }

  /** Opens the store in a folder. */
  public static Store openStore(Path database) {
    return Store.open(database.resolve(DATABASE), STORE, SCHEMAS);
  }

  /**
   * Opens everything as a daemon does that starts; closes the store if that fails.
   *
   * @param store closed with the world
   */
  public static World open(Store store, Files files, Kernel kernel, Time time) throws IOException {
    return open(store, files, kernel, time, files);
  }

  /**
   * As above.
   *
   * @param outside the same files as others see them, such as those who write into snapshots
   */
  public static World open(Store store, Files files, Kernel kernel, Time time, Files outside)
      throws IOException {
    Metadata metadata = null;
    try {
      ContentStore content =
          LocalContentStore.open(ROOT.resolve("content"), files, time, kernel.bootId());
      var environment = new Environment(store, files, kernel, new PlainTrees(files), time);
      Map<String, Snapshotter> snapshotters =
          Map.of(
              OverlaySnapshotter.NAME,
              OverlaySnapshotter.open(
                  ROOT.resolve("overlayfs"),
                  environment,
                  new OverlaySupport(true, false, false, true),
                  OverlaySnapshotter.Options.DEFAULTS),
              NativeSnapshotter.NAME,
              NativeSnapshotter.open(ROOT.resolve("native"), environment));
      metadata =
          Metadata.open(
              store, content, snapshotters, MetadataOptions.DEFAULTS.withGc(GC).withTime(time));
      return new World(store, outside, content, snapshotters, metadata);
    } finally {
      if (metadata == null) {
        store.close();
      }
    }
  }

  /** The store. */
  public Store store() {
    return store;
  }

  /** The files, as those see them who work in snapshots. */
  public Files files() {
    return files;
  }

  /** The blobs, of whatever namespace. */
  public ContentStore content() {
    return content;
  }

  /** The snapshots, of whatever namespace, by snapshotter. */
  public Map<String, Snapshotter> snapshotters() {
    return snapshotters;
  }

  /** The namespaced view of all. */
  public Metadata metadata() {
    return metadata;
  }

  /** Ends as a daemon does that is killed. */
  public void kill() {
    metadata.close();
    store.close();
  }

  @Override
  public void close() {
    metadata.close();
    snapshotters.values().forEach(Snapshotter::close);
    store.close();
  }
}

package io.jcontainerd.metadata;

import io.jcontainerd.core.Call;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventRecord;
import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.gc.GarbageCollector;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.store.Schema;
import io.jcontainerd.store.Store;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What belongs to whom: every namespaced store of the daemon over its backends, the events of their
 * changes, and the garbage collector.
 *
 * <p>Everything but namespaces, events and the collector works in the namespace of the current
 * {@link io.jcontainerd.core.Call}. Safe for many threads. Closing ends the collector's thread;
 * store and backends belong to whoever opened them and are closed after this.
 */
public final class Metadata implements AutoCloseable {
  /** The tables; to be given to {@link Store#open}. */
  public static final Schema SCHEMA = Tables.SCHEMA;

  private final StoredNamespaces namespaces;
  private final StoredContainers containers;
  private final StoredSandboxes sandboxes;
  private final StoredImages images;
  private final StoredLeases leases;
  private final NamespacedContentStore content;
  private final Map<String, NamespacedSnapshotter> snapshotters = new LinkedHashMap<>();
  private final Optional<NamespacedMounts> mounts;
  private final StoredEvents events;
  private final StoredEventRecord eventRecord;
  private final Patience patience;
  private final Sweeper sweeper;
  private final Collection collection;
  private final Scheduler scheduler;
  private final StorageFacts facts;
  private final Explanation explanation;

  private Metadata(
      Store store,
      ContentStore backend,
      Map<String, ? extends Snapshotter> backends,
      Optional<MountActivator> activator,
      MetadataOptions options) {
    Database database = new Database(store, options.time());
    Guards guards = new Guards();
    patience = new Patience(options.outside(), options.time());
    sweeper = new Sweeper(database, backend, Map.copyOf(backends), activator, guards, patience);
    collection = new Collection(database, sweeper, this::settle);
    scheduler = new Scheduler(options.gc(), collection, options.time(), options.operations());
    namespaces = new StoredNamespaces(database);
    containers = new StoredContainers(database);
    sandboxes = new StoredSandboxes(database);
    images = new StoredImages(database, scheduler, this::makeDurable);
    leases = new StoredLeases(database, scheduler);
    content =
        new NamespacedContentStore(
            database,
            backend,
            guards,
            options.contentSharing() == MetadataOptions.ContentSharing.ISOLATED,
            this::orphansPossible,
            this::makeDurable);
    backends.forEach(
        (name, snapshotter) ->
            snapshotters.put(
                name,
                new NamespacedSnapshotter(
                    name, database, snapshotter, guards, this::orphansPossible)));
    mounts = activator.map(helper -> new NamespacedMounts(database, helper));
    facts = new StorageFacts(database, guards);
    explanation = new Explanation(database, Map.copyOf(backends), options.gc());
    events = new StoredEvents(store);
    eventRecord = new StoredEventRecord(store);
    database.watch(scheduler::changed);
  }

  private void orphansPossible() {
    sweeper.orphansPossible();
    scheduler.wake();
  }

  /** One snapshotter that fails does not hold up the others. */
  private void makeDurable() {
    Optional<ContainerdException> first = Optional.empty();
    for (NamespacedSnapshotter snapshotter : snapshotters.values()) {
      try {
        snapshotter.makeDurable();
      } catch (ContainerdException e) {
        first.ifPresent(failure -> failure.addSuppressed(e));
        first = first.or(() -> Optional.of(e));
      }
    }
    if (first.isPresent()) {
      throw first.get();
    }
  }

  private void settle() {
    for (boolean outside : new boolean[] {false, true}) {
      snapshotters.forEach(
          (name, snapshotter) -> {
            if (patience.isOutside(name) == outside && patience.mayAsk(name)) {
              patience.ask(name, Call.current(), snapshotter::settleAll);
            }
          });
    }
  }

  /**
   * Opens the metadata and starts its collector.
   *
   * @param store opened with {@link #SCHEMA}
   * @param content the backend that keeps the blobs
   * @param snapshotters the backends that keep the snapshots, by name
   */
  public static Metadata open(
      Store store,
      ContentStore content,
      Map<String, ? extends Snapshotter> snapshotters,
      MetadataOptions options) {
    return open(store, content, snapshotters, Optional.empty(), options);
  }

  /**
   * The same with mounts that others than the kernel do.
   *
   * @param mounts does them; nobody else has used it since the start
   */
  public static Metadata open(
      Store store,
      ContentStore content,
      Map<String, ? extends Snapshotter> snapshotters,
      Optional<MountActivator> mounts,
      MetadataOptions options) {
    Metadata metadata = new Metadata(store, content, snapshotters, mounts, options);
    metadata.settle();
    metadata.snapshotters.values().forEach(NamespacedSnapshotter::nobodyToTell);
    metadata.mounts.ifPresent(NamespacedMounts::recover);
    metadata.scheduler.start();
    return metadata;
  }

  /** All namespaces. */
  public NamespaceStore namespaces() {
    return namespaces;
  }

  /** Containers. */
  public ContainerStore containers() {
    return containers;
  }

  /** Records of sandboxes. */
  public SandboxStore sandboxes() {
    return sandboxes;
  }

  /** Images. */
  public ImageStore images() {
    return images;
  }

  /** Leases. */
  public LeaseStore leases() {
    return leases;
  }

  /** Blobs. */
  public ContentStore content() {
    return content;
  }

  /** Snapshotters by name. */
  public Map<String, Snapshotter> snapshotters() {
    return Map.copyOf(snapshotters);
  }

  /**
   * The snapshotter of that name.
   *
   * @throws InvalidArgumentException if there is none
   */
  public Snapshotter snapshotter(String name) {
    Snapshotter snapshotter = snapshotters.get(name);
    if (snapshotter == null) {
      throw new InvalidArgumentException("snapshotter not loaded: " + name);
    }
    return snapshotter;
  }

  /** Mounts that others than the kernel do, if there is somebody who does them. */
  public Optional<MountManager> mounts() {
    return mounts.map(MountManager.class::cast);
  }

  /** What is recorded, whatever the namespace. */
  public StorageRecords records() {
    return facts;
  }

  /** Why things stay, and what they take. */
  public StorageExplainer explainer() {
    return explanation;
  }

  /** The events of everything. */
  public EventExchange events() {
    return events;
  }

  /** The record of all events. */
  public EventRecord eventRecord() {
    return eventRecord;
  }

  /** The garbage collector. */
  public GarbageCollector collector() {
    return scheduler;
  }

  /** What the garbage collector did. */
  public GcStats collectorStats() {
    return scheduler.stats();
  }

  /** Ends the collector's thread; the next start goes on with what it leaves. */
  @Override
  public void close() {
    collection.stop();
    scheduler.close();
  }
}

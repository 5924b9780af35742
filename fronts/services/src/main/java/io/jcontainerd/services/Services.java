package io.jcontainerd.services;

import io.grpc.Channel;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.jcontainerd.api.services.mounts.v1.MountsGrpc;
import io.jcontainerd.api.services.sandbox.v1.ControllerGrpc;
import io.jcontainerd.api.services.sandbox.v1.StoreGrpc;
import io.jcontainerd.api.services.streaming.v1.StreamingGrpc;
import io.jcontainerd.api.services.transfer.v1.TransferGrpc;
import io.jcontainerd.core.check.StorageCare;
import io.jcontainerd.core.check.StorageExplainer;
import io.jcontainerd.core.containers.ContainerStore;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.diff.Comparer;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.events.EventRecord;
import io.jcontainerd.core.images.ImageStore;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.namespaces.NamespaceStore;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.operation.Operations;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.tasks.TaskRuntime;
import io.jcontainerd.core.transfer.Transfers;
import io.jcontainerd.services.rpc.Endpoint;
import io.jcontainerd.ttrpc.TtrpcService;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * containerd's services, ready to be added to a server: all of them, or each alone where only some
 * of the engines are there.
 *
 * <p>Each call runs on a virtual thread of its own, whatever executor the server has, and is
 * interrupted when the client cancels it. The namespace, lease and deadline of its headers are
 * bound as {@link io.jcontainerd.core.Call}. Health is not among them: it is the server's own.
 */
public final class Services {
  private Services() {}

  /** Every gRPC service of containerd; those without an engine answer Unimplemented. */
  public static List<ServerServiceDefinition> all(Engines engines) {
    Time time = engines.time();
    return List.of(
        version(engines.version(), engines.revision(), time),
        introspection(engines.introspection(), time),
        namespaces(engines.namespaces(), time),
        containers(engines.containers(), time),
        content(engines.content(), time),
        images(engines.images(), time),
        leases(engines.leases(), time),
        snapshots(engines.snapshotters(), time),
        diff(engines.appliers(), engines.comparers(), engines.syncFs(), time),
        events(engines.events(), time),
        tasks(
            engines.containers(),
            engines.tasks(),
            engines.content(),
            engines.appliers(),
            engines.comparers(),
            engines.temp(),
            time),
        absent(TransferGrpc.getServiceDescriptor(), "transfer", time),
        absent(StreamingGrpc.getServiceDescriptor(), "streaming", time),
        absent(StoreGrpc.getServiceDescriptor(), "sandbox store", time),
        absent(ControllerGrpc.getServiceDescriptor(), "sandbox controller", time),
        absent(MountsGrpc.getServiceDescriptor(), "mount manager", time));
  }

  /** Every ttrpc service that shims call. */
  public static List<TtrpcService> ttrpc(EventExchange events, Time time) {
    return List.of(new EventsService(events, time).defineTtrpc());
  }

  /** The version, which clients read as a semantic one. */
  public static ServerServiceDefinition version(String version, String revision, Time time) {
    return new VersionService(version, revision).define(time);
  }

  /** Our own: checks, repairs and explanations of what is stored. */
  public static ServerServiceDefinition storage(
      StorageCare care, StorageExplainer explainer, Time time) {
    return new StorageService(care, explainer).define(time);
  }

  /** Our own: events from any of them on. */
  public static ServerServiceDefinition eventRecord(EventRecord record, Time time) {
    return new EventRecordService(record).define(time);
  }

  /** Our own: what is under way. */
  public static ServerServiceDefinition operations(Operations operations, Time time) {
    return new OperationsService(operations).define(time);
  }

  /** Plug-ins and the server itself. */
  public static ServerServiceDefinition introspection(Introspection introspection, Time time) {
    return new IntrospectionService(introspection).define(time);
  }

  /** Namespaces. */
  public static ServerServiceDefinition namespaces(NamespaceStore store, Time time) {
    return new NamespacesService(store).define(time);
  }

  /** Container records. */
  public static ServerServiceDefinition containers(ContainerStore store, Time time) {
    return new ContainersService(store).define(time);
  }

  /** Blobs and ingests. */
  public static ServerServiceDefinition content(ContentStore store, Time time) {
    return new ContentService(store).define(time);
  }

  /** Images. */
  public static ServerServiceDefinition images(ImageStore store, Time time) {
    return new ImagesService(store).define(time);
  }

  /** Leases. */
  public static ServerServiceDefinition leases(LeaseStore store, Time time) {
    return new LeasesService(store).define(time);
  }

  /** Snapshots of every snapshotter, by name. */
  public static ServerServiceDefinition snapshots(
      Map<String, Snapshotter> snapshotters, Time time) {
    return new SnapshotsService(snapshotters).define(time);
  }

  /** Layers; the differs are asked in order. */
  public static ServerServiceDefinition diff(
      List<Applier> appliers, List<Comparer> comparers, boolean syncFs, Time time) {
    return diff(appliers, comparers, syncFs, new OperationRegistry(), time);
  }

  /**
   * The same.
   *
   * @param operations where layers that are unpacked and packed are listed
   */
  public static ServerServiceDefinition diff(
      List<Applier> appliers,
      List<Comparer> comparers,
      boolean syncFs,
      OperationRegistry operations,
      Time time) {
    return new DiffService(appliers, comparers, syncFs, operations).define(time);
  }

  /** Mounts that others than the kernel do. */
  public static ServerServiceDefinition mounts(MountManager manager, Time time) {
    return new MountsService(manager).define(time);
  }

  /** Records of sandboxes. */
  public static ServerServiceDefinition sandboxes(SandboxStore store, Time time) {
    return new SandboxesService(store).define(time);
  }

  /**
   * Sandbox controllers, by name.
   *
   * @param own those of this process
   * @param others those that other processes serve
   * @param store for clients that name no more than the id of a sandbox
   */
  public static ServerServiceDefinition sandboxControllers(
      Map<String, SandboxController> own,
      Map<String, Channel> others,
      SandboxStore store,
      EventExchange events,
      Time time) {
    var served = new HashMap<String, ServedController>();
    own.forEach((name, controller) -> served.put(name, new ServedController(controller, store)));
    return new SandboxControllersService(served, others, events, time).define();
  }

  /** Streams that other calls refer to. */
  public static ServerServiceDefinition streaming(StreamRegistry streams, Time time) {
    return new StreamingService(streams).define(time);
  }

  /** Images between registries, the image store and archives. */
  public static ServerServiceDefinition transfer(
      Transfers transfers, StreamRegistry streams, Time time) {
    return new TransferService(transfers, streams).define(time);
  }

  /** Events. */
  public static ServerServiceDefinition events(EventExchange events, Time time) {
    return new EventsService(events, time).define();
  }

  /**
   * Tasks.
   *
   * @param appliers the first unpacks checkpoints
   * @param comparers the first packs them
   * @param temp a folder for checkpoints on their way; made when first needed
   */
  public static ServerServiceDefinition tasks(
      ContainerStore containers,
      TaskRuntime tasks,
      ContentStore content,
      List<Applier> appliers,
      List<Comparer> comparers,
      Path temp,
      Time time) {
    return new TasksService(containers, tasks, new Checkpoints(content, appliers, comparers, temp))
        .define(time);
  }

  /**
   * A service that is registered and answers Unimplemented to everything.
   *
   * @param what is missing, as the answer's text
   */
  public static ServerServiceDefinition absent(ServiceDescriptor service, String what, Time time) {
    return new Endpoint(service, time).restNotImplemented(what).build();
  }
}

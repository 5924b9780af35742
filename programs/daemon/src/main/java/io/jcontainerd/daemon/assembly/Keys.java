package io.jcontainerd.daemon.assembly;

import io.grpc.ServerServiceDefinition;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.events.EventExchange;
import io.jcontainerd.core.gc.GarbageCollector;
import io.jcontainerd.core.images.ImageVerifier;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.leases.LeaseStore;
import io.jcontainerd.core.mount.MountActivator;
import io.jcontainerd.core.mount.MountManager;
import io.jcontainerd.core.sandboxes.SandboxStore;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.core.transfer.Transfers;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.metrics.CallMetrics;
import io.jcontainerd.daemon.server.GrpcListener;
import io.jcontainerd.daemon.server.MetricsListener;
import io.jcontainerd.daemon.server.TtrpcListener;
import io.jcontainerd.linux.memory.IdleTrim;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.mounts.MountHandler;
import io.jcontainerd.runtime.LocalTaskRuntime;
import io.jcontainerd.runtime.restart.RestartMonitor;
import io.jcontainerd.runtime.sandbox.PodSandboxes;
import io.jcontainerd.runtime.sandbox.ShimSandboxes;
import io.jcontainerd.selfcheck.MountGate;
import io.jcontainerd.selfcheck.SelfCheck;
import io.jcontainerd.services.StreamRegistry;
import io.jcontainerd.store.Store;

/** The names of plug-ins that others ask for. */
final class Keys {
  static final String SNAPSHOTTER = "io.containerd.snapshotter.v1";
  static final String CONTENT_STORES = "io.containerd.content.v1";
  static final String SANDBOXES = "io.containerd.sandbox.controller.v1";
  static final String DIFFER = "io.containerd.differ.v1";
  static final String SERVICE = "io.containerd.service.v1";
  static final String RPC = "io.containerd.grpc.v1";
  static final String SERVER = "io.containerd.server.v1";

  static final PluginKey<Machine> MACHINE =
      new PluginKey<>("io.jcontainerd.machine.v1", "linux", Machine.class);
  static final PluginKey<Store> STORE =
      new PluginKey<>("io.jcontainerd.store.v1", "sqlite", Store.class);
  static final PluginKey<IdleTrim> MEMORY =
      new PluginKey<>("io.jcontainerd.memory.v1", "idle", IdleTrim.class);
  static final PluginKey<ContentStore> CONTENT =
      new PluginKey<>(CONTENT_STORES, "content", ContentStore.class);
  static final PluginKey<ProxyConnections> PROXIES =
      new PluginKey<>("io.jcontainerd.proxies.v1", "grpc", ProxyConnections.class);
  static final PluginKey<Snapshotter> OVERLAYFS =
      new PluginKey<>(SNAPSHOTTER, "overlayfs", Snapshotter.class);
  static final PluginKey<Snapshotter> NATIVE =
      new PluginKey<>(SNAPSHOTTER, "native", Snapshotter.class);
  static final PluginKey<Snapshotter> BTRFS =
      new PluginKey<>(SNAPSHOTTER, "btrfs", Snapshotter.class);
  static final PluginKey<Snapshotter> BLOCKFILE =
      new PluginKey<>(SNAPSHOTTER, "blockfile", Snapshotter.class);
  static final PluginKey<Snapshotter> DEVMAPPER =
      new PluginKey<>(SNAPSHOTTER, "devmapper", Snapshotter.class);
  static final PluginKey<Snapshotter> EROFS =
      new PluginKey<>(SNAPSHOTTER, "erofs", Snapshotter.class);
  static final PluginKey<MountHandler> EROFS_MOUNTS =
      new PluginKey<>("io.containerd.mount-handler.v1", "erofs", MountHandler.class);
  static final PluginKey<MountActivator> ACTIVATOR =
      new PluginKey<>("io.jcontainerd.mounts.v1", "local", MountActivator.class);
  static final PluginKey<MountManager> MOUNTS =
      new PluginKey<>("io.containerd.mount-manager.v1", "bolt", MountManager.class);
  static final PluginKey<MountGate> GATE =
      new PluginKey<>("io.jcontainerd.gate.v1", "mounts", MountGate.class);
  static final PluginKey<SelfCheck> SELF_CHECK =
      new PluginKey<>("io.jcontainerd.selfcheck.v1", "scrub", SelfCheck.class);
  static final PluginKey<Metadata> METADATA =
      new PluginKey<>("io.containerd.metadata.v1", "bolt", Metadata.class);
  static final PluginKey<EventExchange> EVENTS =
      new PluginKey<>("io.containerd.event.v1", "exchange", EventExchange.class);
  static final PluginKey<RestartMonitor> RESTARTS =
      new PluginKey<>("io.containerd.monitor.container.v1", "restart", RestartMonitor.class);
  static final PluginKey<GarbageCollector> COLLECTOR =
      new PluginKey<>("io.containerd.gc.v1", "scheduler", GarbageCollector.class);
  static final PluginKey<LeaseStore> LEASES =
      new PluginKey<>("io.containerd.lease.v1", "manager", LeaseStore.class);
  static final PluginKey<ShimSandboxes> SHIM_SANDBOXES =
      new PluginKey<>(SANDBOXES, "shim", ShimSandboxes.class);
  static final PluginKey<PodSandboxes> PODS =
      new PluginKey<>("io.containerd.podsandbox.controller.v1", "podsandbox", PodSandboxes.class);
  static final PluginKey<SandboxStore> SANDBOX_STORE =
      new PluginKey<>("io.containerd.sandbox.store.v1", "local", SandboxStore.class);
  static final PluginKey<StreamRegistry> STREAMS =
      new PluginKey<>("io.containerd.streaming.v1", "manager", StreamRegistry.class);
  static final PluginKey<ImageVerifier> VERIFIER =
      new PluginKey<>("io.containerd.image-verifier.v1", "bindir", ImageVerifier.class);
  static final PluginKey<Transfers> TRANSFER =
      new PluginKey<>("io.containerd.transfer.v1", "local", Transfers.class);
  static final PluginKey<Differ> EROFS_DIFFER = new PluginKey<>(DIFFER, "erofs", Differ.class);
  static final PluginKey<Differ> WALKING = new PluginKey<>(DIFFER, "walking", Differ.class);
  static final PluginKey<OptionalPrograms> OPT =
      new PluginKey<>("io.containerd.internal.v1", "opt", OptionalPrograms.class);
  static final PluginKey<Shims> SHIMS =
      new PluginKey<>("io.containerd.shim.v1", "manager", Shims.class);
  static final PluginKey<LocalTaskRuntime> TASKS =
      new PluginKey<>("io.containerd.runtime.v2", "task", LocalTaskRuntime.class);
  static final PluginKey<Deprecations> DEPRECATIONS =
      new PluginKey<>("io.containerd.warning.v1", "deprecations", Deprecations.class);
  static final PluginKey<Differs> DIFFERS = new PluginKey<>(SERVICE, "diff-service", Differs.class);
  static final PluginKey<Introspection> INTROSPECTION =
      new PluginKey<>(SERVICE, "introspection-service", Introspection.class);
  static final PluginKey<CallMetrics> CALLS =
      new PluginKey<>("io.containerd.metrics.v1", "grpc-prometheus", CallMetrics.class);
  static final PluginKey<MetricsListener> METRICS =
      new PluginKey<>(SERVER, "metrics", MetricsListener.class);
  static final PluginKey<GrpcListener> GRPC = new PluginKey<>(SERVER, "grpc", GrpcListener.class);
  static final PluginKey<TtrpcListener> TTRPC =
      new PluginKey<>(SERVER, "ttrpc", TtrpcListener.class);

  private Keys() {}

  static PluginKey<ServerServiceDefinition> rpc(String id) {
    return new PluginKey<>(RPC, id, ServerServiceDefinition.class);
  }
}

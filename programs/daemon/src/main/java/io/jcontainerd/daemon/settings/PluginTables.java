package io.jcontainerd.daemon.settings;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Every plug-in table that a configuration file may hold, by plug-in URI, with its defaults. */
public final class PluginTables {
  /** The table of our shim host. */
  public static final String SHIM_HOST = "io.jcontainerd.shim.v1.host";

  /** The table of the scrub. */
  public static final String SCRUB = "io.jcontainerd.selfcheck.v1.scrub";

  private PluginTables() {}

  /** In the order in which they are printed. */
  public static Map<String, Record> defaults() {
    var tables = new LinkedHashMap<String, Record>();
    tables.put("io.containerd.cri.v1.images", CriSettings.Images.defaults());
    tables.put("io.containerd.cri.v1.runtime", CriSettings.Runtime.defaults());
    tables.put("io.containerd.differ.v1.erofs", StorageSettings.ErofsDiffer.defaults());
    tables.put("io.containerd.differ.v1.walking", StorageSettings.WalkingDiffer.defaults());
    tables.put("io.containerd.gc.v1.scheduler", StorageSettings.GcScheduler.defaults());
    tables.put("io.containerd.grpc.v1.cri", CriSettings.Service.defaults());
    tables.put("io.containerd.image-verifier.v1.bindir", ImageSettings.ImageVerifier.defaults());
    tables.put("io.containerd.internal.v1.opt", RuntimeSettings.Opt.defaults());
    tables.put("io.containerd.internal.v1.tracing", ImageSettings.Tracing.defaults());
    tables.put("io.containerd.metadata.v1.bolt", StorageSettings.Metadata.defaults());
    tables.put(
        "io.containerd.metrics.v1.grpc-prometheus", ServerSettings.GrpcPrometheus.defaults());
    tables.put(
        "io.containerd.monitor.container.v1.restart", RuntimeSettings.RestartMonitor.defaults());
    tables.put("io.containerd.monitor.task.v1.cgroups", RuntimeSettings.CgroupsMonitor.defaults());
    tables.put("io.containerd.nri.v1.nri", RuntimeSettings.Nri.defaults());
    tables.put("io.containerd.runtime.v2.task", RuntimeSettings.Task.defaults());
    tables.put("io.containerd.server.v1.debug", ServerSettings.Debug.defaults());
    tables.put("io.containerd.server.v1.grpc", ServerSettings.Grpc.defaults());
    tables.put("io.containerd.server.v1.grpc-tcp", ServerSettings.GrpcTcp.defaults());
    tables.put("io.containerd.server.v1.metrics", ServerSettings.Metrics.defaults());
    tables.put("io.containerd.server.v1.ttrpc", ServerSettings.Ttrpc.defaults());
    tables.put("io.containerd.service.v1.diff-service", StorageSettings.DiffService.defaults());
    tables.put("io.containerd.service.v1.tasks-service", RuntimeSettings.TasksService.defaults());
    tables.put("io.containerd.shim.v1.manager", RuntimeSettings.ShimManager.defaults());
    tables.put("io.containerd.snapshotter.v1.blockfile", StorageSettings.Blockfile.defaults());
    tables.put("io.containerd.snapshotter.v1.btrfs", StorageSettings.Btrfs.defaults());
    tables.put("io.containerd.snapshotter.v1.devmapper", StorageSettings.Devmapper.defaults());
    tables.put("io.containerd.snapshotter.v1.erofs", StorageSettings.Erofs.defaults());
    tables.put("io.containerd.snapshotter.v1.native", StorageSettings.Native.defaults());
    tables.put("io.containerd.snapshotter.v1.overlayfs", StorageSettings.Overlayfs.defaults());
    tables.put("io.containerd.snapshotter.v1.zfs", StorageSettings.Zfs.defaults());
    tables.put("io.containerd.tracing.processor.v1.otlp", ImageSettings.Otlp.defaults());
    tables.put("io.containerd.transfer.v1.local", ImageSettings.Transfer.defaults());
    tables.put(SCRUB, StorageSettings.Scrub.defaults());
    tables.put(SHIM_HOST, RuntimeSettings.ShimHost.defaults());
    return Collections.unmodifiableMap(tables);
  }
}

package io.jcontainerd.daemon.assembly;

import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.services.HealthStatusManager;
import io.jcontainerd.core.failure.FailedPreconditionException;
import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.settings.StorageSettings;
import io.jcontainerd.metadata.Metadata;
import io.jcontainerd.services.Services;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The gRPC services, a plug-in each, and the stores behind them under containerd's names. */
final class ServicePlugins {
  private final LoadedConfig config;
  private final BuildInfo build;
  private final Path temporary;
  private final Introspected introspected;
  private final OperationRegistry operations;
  private final Time time = Time.SYSTEM;

  ServicePlugins(
      LoadedConfig config,
      BuildInfo build,
      Path temporary,
      Introspected introspected,
      OperationRegistry operations) {
    this.config = config;
    this.build = build;
    this.temporary = temporary;
    this.introspected = introspected;
    this.operations = operations;
  }

  void addTo(PluginGraph graph) {
    graph.add(
        new PluginSpec<>(Keys.INTROSPECTION, List.of(), _ -> Started.of(introspected.open(graph))));
    stores(graph);
    graph.add(new PluginSpec<>(Keys.DIFFERS, List.of(Keys.DIFFER), this::differs));
    graph.add(
        new PluginSpec<>(
            Keys.DEPRECATIONS,
            List.of(),
            _ -> Started.of(Deprecations.of(config, Path.of("/sys/fs/cgroup"), time))));
    String services = Keys.SERVICE;
    rpc(graph, "containers", services, w -> Services.containers(data(w).containers(), time));
    rpc(graph, "content", services, w -> Services.content(data(w).content(), time));
    rpc(graph, "diff", services, this::diff);
    rpc(graph, "events", Keys.EVENTS.type(), w -> Services.events(w.get(Keys.EVENTS), time));
    rpc(
        graph,
        "event-record",
        Keys.METADATA.type(),
        w -> Services.eventRecord(data(w).eventRecord(), time));
    rpc(graph, "healthcheck", "", _ -> new HealthStatusManager().getHealthService().bindService());
    rpc(graph, "images", services, w -> Services.images(data(w).images(), time));
    rpc(
        graph,
        "introspection",
        services,
        w -> Services.introspection(w.get(Keys.INTROSPECTION), time));
    rpc(graph, "leases", Keys.LEASES.type(), w -> Services.leases(w.get(Keys.LEASES), time));
    rpc(graph, "mounts", Keys.MOUNTS.type(), w -> Services.mounts(w.get(Keys.MOUNTS), time));
    rpc(graph, "namespaces", services, w -> Services.namespaces(data(w).namespaces(), time));
    rpc(graph, "operations", "", _ -> Services.operations(operations, time));
    rpc(
        graph,
        "sandboxes",
        Keys.SANDBOX_STORE.type(),
        w -> Services.sandboxes(w.get(Keys.SANDBOX_STORE), time));
    rpc(graph, "snapshots", services, w -> Services.snapshots(data(w).snapshotters(), time));
    rpc(
        graph,
        "storage",
        Keys.SELF_CHECK.type(),
        w -> Services.storage(w.get(Keys.SELF_CHECK), data(w).explainer(), time));
    rpc(graph, "tasks", services, this::tasks);
    rpc(graph, "version", "", _ -> Services.version(build.apiVersion(), build.revision(), time));
  }

  private static Metadata data(Wiring wiring) {
    return wiring.get(Keys.METADATA);
  }

  /** Picks a store out of the metadata. */
  @FunctionalInterface
  private interface Part {
    Object of(Metadata metadata);
  }

  private static void stores(PluginGraph graph) {
    store(graph, "containers-service", Metadata::containers);
    store(graph, "content-service", Metadata::content);
    store(graph, "images-service", Metadata::images);
    store(graph, "namespaces-service", Metadata::namespaces);
    store(graph, "snapshots-service", Metadata::snapshotters);
    graph.add(
        new PluginSpec<>(
            new PluginKey<>(Keys.SERVICE, "tasks-service", Object.class),
            List.of(Keys.TASKS.type(), Keys.METADATA.type()),
            // the runtime closes itself; here it is only found under its other name
            w -> Started.of(new TasksName(w.get(Keys.TASKS)))));
  }

  private record TasksName(Object tasks) {}

  private static void store(PluginGraph graph, String id, Part part) {
    graph.add(
        new PluginSpec<>(
            new PluginKey<>(Keys.SERVICE, id, Object.class),
            List.of(Keys.METADATA.type()),
            wiring -> Started.of(part.of(data(wiring)))));
  }

  /** Makes a gRPC service from what has started. */
  @FunctionalInterface
  private interface Definition {
    ServerServiceDefinition of(Wiring wiring);
  }

  private static void rpc(PluginGraph graph, String id, String requires, Definition definition) {
    graph.add(
        new PluginSpec<>(
            Keys.rpc(id),
            requires.isEmpty() ? List.of() : List.of(requires),
            wiring -> Started.of(definition.of(wiring))));
  }

  private Started<Differs> differs(Wiring wiring) {
    var known = wiring.all(Keys.DIFFER, Differ.class);
    var chosen = new ArrayList<Differ>();
    for (String name : diffSettings().default_()) {
      Differ differ = known.get(name);
      if (differ == null) {
        throw new FailedPreconditionException(
            Keys.DIFFERS
                + ": default names the differ "
                + name
                + ", which is not there; name of "
                + String.join(", ", known.keySet()));
      }
      chosen.add(differ);
    }
    return Started.of(new Differs(chosen));
  }

  private StorageSettings.DiffService diffSettings() {
    return config.settings(Keys.DIFFERS.uri(), StorageSettings.DiffService.class);
  }

  private ServerServiceDefinition diff(Wiring wiring) {
    List<Differ> chosen = wiring.get(Keys.DIFFERS).all();
    return Services.diff(
        chosen.stream().map(Differ::applier).toList(),
        chosen.stream().map(Differ::comparer).toList(),
        diffSettings().syncFs(),
        operations,
        time);
  }

  private ServerServiceDefinition tasks(Wiring wiring) {
    Metadata metadata = data(wiring);
    Differ differ = wiring.get(Keys.WALKING);
    return Services.tasks(
        metadata.containers(),
        wiring.get(Keys.TASKS),
        metadata.content(),
        List.of(differ.applier()),
        List.of(differ.comparer()),
        temporary,
        time);
  }
}

package io.jcontainerd.daemon;

import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.services.HealthStatusManager;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.server.GrpcListener;
import io.jcontainerd.daemon.server.SocketFile;
import io.jcontainerd.daemon.settings.ServerSettings;
import io.jcontainerd.services.Services;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The list of all plug-ins, and how each is made from the others. */
final class Assembly {
  private static final String SERVICE = "io.containerd.service.v1";
  private static final String RPC = "io.containerd.grpc.v1";
  private static final String SERVER = "io.containerd.server.v1";

  private static final PluginKey<Introspection> INTROSPECTION =
      new PluginKey<>(SERVICE, "introspection-service", Introspection.class);
  private static final PluginKey<GrpcListener> GRPC =
      new PluginKey<>(SERVER, "grpc", GrpcListener.class);

  private final LoadedConfig config;
  private final BuildInfo build;
  private final Path root;
  private final Time time = Time.SYSTEM;
  private final PluginGraph graph = new PluginGraph();

  private Assembly(LoadedConfig config, BuildInfo build, Path root) {
    this.config = config;
    this.build = build;
    this.root = root;
  }

  /** A graph of every plug-in, none started yet. */
  static PluginGraph of(LoadedConfig config, BuildInfo build, Path root) {
    var assembly = new Assembly(config, build, root);
    assembly.services();
    assembly.rpc();
    assembly.servers();
    return assembly.graph;
  }

  private void services() {
    graph.add(
        new PluginSpec<>(
            INTROSPECTION,
            List.of(),
            _ ->
                Started.of(
                    DaemonIntrospection.open(
                        root, graph::plugins, (_, _) -> Optional.empty()))));
  }

  private void rpc() {
    rpc(
        "healthcheck",
        List.of(),
        _ -> new HealthStatusManager().getHealthService().bindService());
    rpc(
        "introspection",
        List.of(SERVICE),
        wiring -> Services.introspection(wiring.get(INTROSPECTION), time));
    rpc(
        "version",
        List.of(),
        _ -> Services.version(build.apiVersion(), build.revision(), time));
  }

  /** Makes a gRPC service from what has started. */
  @FunctionalInterface
  private interface Definition {
    ServerServiceDefinition of(Wiring wiring);
  }

  private void rpc(String id, List<String> requires, Definition definition) {
    graph.add(
        new PluginSpec<>(
            new PluginKey<>(RPC, id, ServerServiceDefinition.class),
            requires,
            wiring -> Started.of(definition.of(wiring))));
  }

  private void servers() {
    graph.add(
        new PluginSpec<>(
            GRPC,
            List.of(RPC),
            wiring -> {
              var settings = config.settings(GRPC.uri(), ServerSettings.Grpc.class);
              var socket =
                  new SocketFile(Path.of(settings.address()), settings.uid(), settings.gid());
              return Started.of(
                  GrpcListener.open(
                      socket,
                      limit(settings.maxRecvMessageSize()),
                      limit(settings.maxSendMessageSize()),
                      List.copyOf(wiring.all(RPC, ServerServiceDefinition.class).values())));
            }));
  }

  private static int limit(long bytes) {
    return Math.toIntExact(bytes == 0 ? ServerSettings.MAX_MESSAGE_SIZE : bytes);
  }
}

package io.jcontainerd.daemon;

import io.grpc.protobuf.services.HealthStatusManager;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.SkipPlugin;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.server.GrpcListener;
import io.jcontainerd.daemon.server.SocketFile;
import io.jcontainerd.daemon.settings.ServerSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The list of all plug-ins, and how each is made from the others. */
final class Assembly {
  private static final PluginKey<Introspection> INTROSPECTION =
      new PluginKey<>("io.containerd.service.v1", "introspection-service", Introspection.class);
  private static final PluginKey<GrpcListener> GRPC =
      new PluginKey<>("io.containerd.server.v1", "grpc", GrpcListener.class);

  private final LoadedConfig config;
  private final Path root;
  private final PluginGraph graph = new PluginGraph();

  private Assembly(LoadedConfig config, Path root) {
    this.config = config;
    this.root = root;
  }

  /** A graph of every plug-in, none started yet. */
  static PluginGraph of(LoadedConfig config, Path root) {
    var assembly = new Assembly(config, root);
    assembly.services();
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
                    DaemonIntrospection.open(root, graph::plugins, (_, _) -> Optional.empty()))));
  }

  private void servers() {
    graph.add(
        new PluginSpec<>(
            GRPC,
            List.of("io.containerd.service.v1"),
            _ -> {
              var settings = config.settings(GRPC.uri(), ServerSettings.Grpc.class);
              var socket =
                  new SocketFile(Path.of(settings.address()), settings.uid(), settings.gid());
              return Started.of(
                  GrpcListener.open(
                      socket,
                      limit(settings.maxRecvMessageSize()),
                      limit(settings.maxSendMessageSize()),
                      List.of(new HealthStatusManager().getHealthService().bindService()),
                      List.of()));
            }));
    unavailable("io.containerd.server.v1", "grpc-tcp", "no address configured");
  }

  private static int limit(long bytes) {
    return Math.toIntExact(bytes == 0 ? ServerSettings.MAX_MESSAGE_SIZE : bytes);
  }

  private void unavailable(String type, String id, String reason) {
    graph.add(
        new PluginSpec<>(
            new PluginKey<>(type, id, Object.class),
            List.of(),
            _ -> {
              throw new SkipPlugin(reason);
            }));
  }
}

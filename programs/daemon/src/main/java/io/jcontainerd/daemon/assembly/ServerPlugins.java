package io.jcontainerd.daemon.assembly;

import io.grpc.Channel;
import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.sandboxes.SandboxController;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.SkipPlugin;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.graph.Wiring;
import io.jcontainerd.daemon.metrics.CallMetrics;
import io.jcontainerd.daemon.metrics.DaemonMetrics;
import io.jcontainerd.daemon.server.GrpcListener;
import io.jcontainerd.daemon.server.MetricsListener;
import io.jcontainerd.daemon.server.SocketFile;
import io.jcontainerd.daemon.server.TtrpcListener;
import io.jcontainerd.daemon.settings.ServerSettings;
import io.jcontainerd.services.Services;
import io.jcontainerd.ttrpc.TtrpcServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/** The listeners, and what is registered or asked for but not there. */
final class ServerPlugins {
  private final LoadedConfig config;
  private final BuildInfo build;

  ServerPlugins(LoadedConfig config, BuildInfo build) {
    this.config = config;
    this.build = build;
  }

  void addTo(PluginGraph graph) {
    AbsentPlugins.addTo(graph);
    address(graph, "debug", config.settings(uri("debug"), ServerSettings.Debug.class).address());
    address(
        graph,
        "grpc-tcp",
        config.settings(uri("grpc-tcp"), ServerSettings.GrpcTcp.class).address());
    graph.add(new PluginSpec<>(Keys.CALLS, List.of(), _ -> Started.of(calls())));
    graph.add(
        new PluginSpec<>(
            Keys.METRICS,
            List.of(Keys.STORE.type(), Keys.METADATA.type(), Keys.CALLS.type()),
            this::metrics));
    graph.add(
        new PluginSpec<>(
            Keys.rpc("sandbox-controllers"),
            List.of(Keys.SANDBOXES, Keys.PODS.type(), Keys.SANDBOX_STORE.type()),
            wiring -> Started.of(sandboxControllers(wiring))));
    graph.add(new PluginSpec<>(Keys.TTRPC, List.of(Keys.EVENTS.type(), Keys.RPC), this::ttrpc));
    graph.add(new PluginSpec<>(Keys.GRPC, List.of(Keys.RPC, Keys.CALLS.type()), this::grpc));
  }

  private static ServerServiceDefinition sandboxControllers(Wiring wiring) {
    var own = new LinkedHashMap<String, SandboxController>();
    var others = new LinkedHashMap<String, Channel>();
    wiring
        .all(Keys.SANDBOXES, Object.class)
        .forEach(
            (id, controller) -> {
              if (controller instanceof SandboxProxy proxy) {
                others.put(id, proxy.channel());
              } else if (controller instanceof SandboxController served) {
                own.put(id, served);
              }
            });
    wiring.find(Keys.PODS).ifPresent(pods -> own.put(Keys.PODS.id(), pods));
    return Services.sandboxControllers(
        own, others, wiring.get(Keys.SANDBOX_STORE), wiring.get(Keys.EVENTS), Time.SYSTEM);
  }

  private static String uri(String id) {
    return Keys.SERVER + "." + id;
  }

  private static void address(PluginGraph graph, String id, String address) {
    if (address.isEmpty()) {
      AbsentPlugins.skipped(graph, Keys.SERVER, id, new SkipPlugin("no address configured"));
    } else {
      AbsentPlugins.failed(
          graph,
          Keys.SERVER,
          id,
          "the "
              + id
              + " server is "
              + AbsentPlugins.NOT_BUILT_IN
              + ", remove its address "
              + address);
    }
  }

  private CallMetrics calls() {
    var settings = config.settings(Keys.CALLS.uri(), ServerSettings.GrpcPrometheus.class);
    return new CallMetrics(settings.grpcHistogram());
  }

  private String metricsAddress() {
    return config.settings(Keys.METRICS.uri(), ServerSettings.Metrics.class).address();
  }

  private Started<MetricsListener> metrics(Wiring wiring) throws IOException, SkipPlugin {
    String address = metricsAddress();
    if (address.isEmpty()) {
      throw new SkipPlugin("no address configured");
    }
    return Started.of(
        MetricsListener.open(
            address,
            new DaemonMetrics(
                build,
                wiring.get(Keys.STORE),
                wiring.get(Keys.METADATA),
                wiring.find(Keys.CALLS))));
  }

  /** Counts calls only if somebody can ask for the counts. */
  private List<ServerInterceptor> interceptors(Wiring wiring) {
    return metricsAddress().isEmpty()
        ? List.of()
        : wiring.find(Keys.CALLS).<List<ServerInterceptor>>map(List::of).orElse(List.of());
  }

  private Started<TtrpcListener> ttrpc(Wiring wiring) throws IOException {
    var settings = config.settings(Keys.TTRPC.uri(), ServerSettings.Ttrpc.class);
    var socket = new SocketFile(Path.of(settings.address()), settings.uid(), settings.gid());
    var server = new TtrpcServer(Services.ttrpc(wiring.get(Keys.EVENTS), Time.SYSTEM));
    return Started.of(TtrpcListener.open(socket, server));
  }

  private Started<GrpcListener> grpc(Wiring wiring) throws IOException {
    var settings = config.settings(Keys.GRPC.uri(), ServerSettings.Grpc.class);
    var socket = new SocketFile(Path.of(settings.address()), settings.uid(), settings.gid());
    var services = new ArrayList<>(wiring.all(Keys.RPC, ServerServiceDefinition.class).values());
    return Started.of(
        GrpcListener.open(
            socket,
            limit(settings.maxRecvMessageSize()),
            limit(settings.maxSendMessageSize()),
            services,
            interceptors(wiring)));
  }

  private static int limit(long bytes) {
    return Math.toIntExact(bytes == 0 ? ServerSettings.MAX_MESSAGE_SIZE : bytes);
  }
}

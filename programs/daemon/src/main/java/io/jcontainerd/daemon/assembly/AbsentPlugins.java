package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.failure.NotImplementedException;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.SkipPlugin;
import java.util.List;
import java.util.Map;

/**
 * Plug-ins that containerd has and this release has not. They are listed with the reason, for
 * people look for them, and may be disabled and required by name.
 */
final class AbsentPlugins {
  static final String NOT_BUILT_IN = "not part of this release of jcontainerd";
  private static final String PREFIX = "io.containerd.";

  /** Ids by type; what gRPC services answer without an engine is {@link ServerPlugins}'s. */
  private static final Map<String, List<String>> IDS =
      Map.ofEntries(
          Map.entry("cri.v1", List.of("images", "runtime")),
          Map.entry("grpc.v1", List.of("cri")),
          Map.entry("http.v1", List.of("pprof")),
          Map.entry("internal.v1", List.of("tracing")),
          Map.entry("metrics.v1", List.of("grpc-otel")),
          Map.entry("monitor.task.v1", List.of("cgroups")),
          Map.entry("nri.v1", List.of("nri")),
          Map.entry("snapshotter.v1", List.of("zfs")),
          Map.entry("tracing.processor.v1", List.of("otlp")),
          Map.entry("ttrpc.v1", List.of("otelttrpc")));

  private AbsentPlugins() {}

  static void addTo(PluginGraph graph) {
    IDS.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            entry ->
                entry
                    .getValue()
                    .forEach(
                        id ->
                            skipped(
                                graph, PREFIX + entry.getKey(), id, new SkipPlugin(NOT_BUILT_IN))));
  }

  static void skipped(PluginGraph graph, String type, String id, SkipPlugin reason) {
    graph.add(
        new PluginSpec<>(
            new PluginKey<>(type, id, Object.class),
            List.of(),
            _ -> {
              throw reason;
            }));
  }

  static void failed(PluginGraph graph, String type, String id, String reason) {
    graph.add(
        new PluginSpec<>(
            new PluginKey<>(type, id, Object.class),
            List.of(),
            _ -> {
              throw new NotImplementedException(reason);
            }));
  }
}

package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.runtime.LocalTaskRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;

/**
 * What the daemon shows of its graph: the plug-ins as they started, with what became known since.
 *
 * @param root keeps the daemon's identity
 */
record Introspected(Path root) {
  /** Makes the introspection of {@code graph}. */
  Introspection open(PluginGraph graph) throws IOException {
    return DaemonIntrospection.open(
        root,
        () -> graph.wiring().find(Keys.DEPRECATIONS).map(Deprecations::all).orElse(List.of()),
        () -> plugins(graph),
        (type, id) -> details(graph, type, id));
  }

  private static List<Introspection.Plugin> plugins(PluginGraph graph) {
    Optional<String> runtime =
        graph
            .wiring()
            .find(Keys.SHIMS)
            .flatMap(shims -> shims.choice().known())
            .map(Path::toString);
    return graph.plugins().stream()
        .map(plugin -> isTasks(plugin.type(), plugin.id()) ? withRuntime(plugin, runtime) : plugin)
        .toList();
  }

  private static boolean isTasks(String type, String id) {
    return type.equals(Keys.TASKS.type()) && id.equals(Keys.TASKS.id());
  }

  /** The proof of the OCI runtime may end after the start. */
  private static Introspection.Plugin withRuntime(
      Introspection.Plugin plugin, Optional<String> runtime) {
    if (runtime.isEmpty()) {
      return plugin;
    }
    var exports = new LinkedHashMap<>(plugin.exports());
    exports.put("oci-runtime", runtime.get());
    return new Introspection.Plugin(
        plugin.type(),
        plugin.id(),
        plugin.requires(),
        plugin.platforms(),
        exports,
        plugin.capabilities(),
        plugin.failure());
  }

  private static Optional<DaemonIntrospection.Details> details(
      PluginGraph graph, String type, String id) {
    return isTasks(type, id)
        ? graph.wiring().find(Keys.TASKS).map(tasks -> options -> runtimeInfo(tasks, options))
        : Optional.empty();
  }

  private static TypedValue runtimeInfo(LocalTaskRuntime tasks, Optional<TypedValue> options) {
    try {
      return tasks.runtimeInfo(options);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while the runtime was asked", e);
    }
  }
}

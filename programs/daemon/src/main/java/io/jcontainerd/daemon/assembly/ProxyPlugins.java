package io.jcontainerd.daemon.assembly;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.graph.PluginKey;
import io.jcontainerd.daemon.graph.PluginSpec;
import io.jcontainerd.daemon.graph.Started;
import io.jcontainerd.daemon.settings.DaemonSettings.ProxyPlugin;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Plug-ins that other processes serve: each forwards to the gRPC service of its kind at an address.
 * What it can do and what it tells are configured, as it is not asked before it is needed.
 */
final class ProxyPlugins {
  private final LoadedConfig config;

  ProxyPlugins(LoadedConfig config) {
    this.config = config;
  }

  /** The names of snapshotters that other processes serve. */
  static Set<String> snapshotters(LoadedConfig config) {
    return config.daemon().proxyPlugins().entrySet().stream()
        .filter(proxy -> Set.of("snapshot", Keys.SNAPSHOTTER).contains(proxy.getValue().type()))
        .map(Map.Entry::getKey)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Adds what is configured; everything that comes with the daemon has been added. */
  void addTo(PluginGraph graph) {
    graph.add(new PluginSpec<>(Keys.PROXIES, List.of(), _ -> Started.of(new ProxyConnections())));
    config.daemon().proxyPlugins().forEach((id, proxy) -> add(graph, id, proxy));
  }

  private static void add(PluginGraph graph, String id, ProxyPlugin proxy) {
    switch (proxy.type()) {
      case "snapshot", Keys.SNAPSHOTTER ->
          add(
              graph,
              new PluginKey<>(Keys.SNAPSHOTTER, id, Snapshotter.class),
              proxy,
              daemon ->
                  daemon.snapshotter(id).telling(Set.copyOf(proxy.capabilities()), exports(proxy)));
      case "content", Keys.CONTENT_STORES ->
          add(
              graph,
              new PluginKey<>(Keys.CONTENT_STORES, id, ContentStore.class),
              proxy,
              Containerd::content);
      case "diff", Keys.DIFFER ->
          add(
              graph,
              new PluginKey<>(Keys.DIFFER, id, Differ.class),
              proxy,
              daemon -> new Differ(daemon.diff(), daemon.diff()));
      case "sandbox", Keys.SANDBOXES ->
          add(
              graph,
              new PluginKey<>(Keys.SANDBOXES, id, SandboxProxy.class),
              proxy,
              daemon -> new SandboxProxy(daemon.channel()));
      default -> {
        String type = proxy.type().isEmpty() ? "unknown" : proxy.type();
        requireNew(graph, type, id);
        AbsentPlugins.failed(
            graph,
            type,
            id,
            "proxy_plugins."
                + id
                + " has the type \""
                + proxy.type()
                + "\"; known are snapshot, content, diff and sandbox");
      }
    }
  }

  /** What a proxy is to this daemon. */
  @FunctionalInterface
  private interface Part<T> {
    T of(Containerd daemon);
  }

  private static <T> void add(
      PluginGraph graph, PluginKey<T> key, ProxyPlugin proxy, Part<T> part) {
    requireNew(graph, key.type(), key.id());
    graph.add(
        new PluginSpec<>(
            key,
            List.of(Keys.PROXIES.type()),
            wiring ->
                new Started<>(
                    part.of(wiring.get(Keys.PROXIES).to(address(key, proxy))),
                    List.of(platform(key, proxy)),
                    exports(proxy),
                    proxy.capabilities())));
  }

  private static void requireNew(PluginGraph graph, String type, String id) {
    if (graph.uris().contains(type + "." + id)) {
      throw new InvalidArgumentException(
          "proxy_plugins."
              + id
              + " has the name of the plugin "
              + type
              + "."
              + id
              + ", which comes with the daemon; choose another name");
    }
  }

  private static String address(PluginKey<?> key, ProxyPlugin proxy) {
    if (proxy.address().isEmpty()) {
      throw new InvalidArgumentException("proxy_plugins." + key.id() + " has no address");
    }
    return proxy.address();
  }

  private static Map<String, String> exports(ProxyPlugin proxy) {
    var exports = new HashMap<>(proxy.exports());
    exports.put("address", proxy.address());
    return exports;
  }

  private static Platform platform(PluginKey<?> key, ProxyPlugin proxy) {
    if (proxy.platform().isEmpty()) {
      return StoragePlugins.HOST;
    }
    String[] parts = proxy.platform().split("/", -1);
    if (parts.length < 2 || parts.length > 3) {
      throw new InvalidArgumentException(
          "proxy_plugins."
              + key.id()
              + " has the platform \""
              + proxy.platform()
              + "\", which is not OS/ARCHITECTURE[/VARIANT]");
    }
    return new Platform(parts[0], parts[1], parts.length == 3 ? parts[2] : "");
  }
}

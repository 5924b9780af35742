package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.operation.OperationRegistry;
import io.jcontainerd.daemon.BuildInfo;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import java.nio.file.Path;
import java.util.List;

/** Puts the whole graph together. */
public final class Assembly {
  /** Without these nothing can be answered; their failure ends the start. */
  public static final List<String> ESSENTIAL =
      List.of(
          Keys.MACHINE.uri(),
          Keys.STORE.uri(),
          Keys.METADATA.uri(),
          Keys.TTRPC.uri(),
          Keys.GRPC.uri());

  private Assembly() {}

  /**
   * A graph of every plug-in, none started yet.
   *
   * @param root absolute, taken by this daemon
   * @param state absolute, existing
   * @param store the store's file, relative to {@code root}
   */
  public static PluginGraph of(
      LoadedConfig config, BuildInfo build, Path root, Path state, Path store) {
    var graph = new PluginGraph();
    var operations = new OperationRegistry();
    new StoragePlugins(config, root, state, store, operations).addTo(graph);
    new RuntimePlugins(config, build, root, state, operations).addTo(graph);
    new TransferPlugins(config, root, operations).addTo(graph);
    new ServicePlugins(
            config, build, state.resolve("checkpoints"), new Introspected(root), operations)
        .addTo(graph);
    new ServerPlugins(config, build).addTo(graph);
    new ProxyPlugins(config).addTo(graph);
    return graph;
  }
}

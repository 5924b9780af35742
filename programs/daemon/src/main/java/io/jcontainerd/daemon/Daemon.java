package io.jcontainerd.daemon;

import io.jcontainerd.core.failure.ContainerdException;
import io.jcontainerd.core.failure.PermissionDeniedException;
import io.jcontainerd.core.failure.UnavailableException;
import io.jcontainerd.daemon.assembly.Assembly;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.graph.PluginGraph;
import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.Identity;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.LinkedHashSet;

/**
 * A running daemon.
 *
 * <p>It starts in an order in which nothing is seen too early: the root folder is taken, the graph
 * starts (the store first, shims of an earlier run are found again), and the sockets are opened
 * last. Closing goes the other way and leaves containers alone.
 */
public final class Daemon implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Daemon.class.getName());

  private final RootFolder root;
  private final PluginGraph graph;

  private Daemon(RootFolder root, PluginGraph graph) {
    this.root = root;
    this.graph = graph;
  }

  /**
   * Starts a daemon; when this returns, clients are answered.
   *
   * @throws ContainerdException if it cannot run here, in one sentence that says what to do
   */
  public static Daemon start(LoadedConfig config, BuildInfo build) {
    DaemonSettings settings = config.daemon();
    if (Identity.uid() != 0) {
      throw new PermissionDeniedException(
          "jcontainerd must be started as root, not as user " + Identity.uid());
    }
    try {
      RootFolder root = RootFolder.take(Path.of(settings.root()));
      try {
        RootFolder.folder(Path.of(settings.state()), "rwx--x--x");
        if (!settings.temp().isEmpty()) {
          RootFolder.folder(Path.of(settings.temp()), "rwx------");
          System.setProperty("java.io.tmpdir", settings.temp());
        }
        Ownership.apply(settings);
        LOG.log(
            Level.INFO,
            "starting jcontainerd {0}, root {1}, state {2}",
            build.version(),
            settings.root(),
            settings.state());
        PluginGraph graph =
            Assembly.of(config, build, root.path(), Path.of(settings.state()), RootFolder.STORE);
        var required = new LinkedHashSet<>(settings.requiredPlugins());
        required.addAll(Assembly.ESSENTIAL);
        graph.start(settings.disabledPlugins(), required);
        return new Daemon(root, graph);
      } catch (IOException | RuntimeException e) {
        try {
          root.close();
        } catch (IOException closing) {
          e.addSuppressed(closing);
        }
        throw e;
      }
    } catch (IOException e) {
      throw new UnavailableException("jcontainerd cannot start: " + e, e);
    }
  }

  /** Ends in order; containers go on running. */
  @Override
  public void close() {
    graph.close();
    try {
      root.close();
    } catch (IOException e) {
      LOG.log(Level.WARNING, "root " + root.path() + " cannot be given back", e);
    }
  }
}

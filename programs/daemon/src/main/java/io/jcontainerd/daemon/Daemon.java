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
  private final StateFolder state;
  private final PluginGraph graph;

  private Daemon(RootFolder root, StateFolder state, PluginGraph graph) {
    this.root = root;
    this.state = state;
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
        StateFolder state = StateFolder.take(Path.of(settings.state()));
        try {
          return new Daemon(root, state, graph(config, build, root, state));
        } catch (IOException | RuntimeException e) {
          closeAfter(e, state);
          throw e;
        }
      } catch (IOException | RuntimeException e) {
        closeAfter(e, root);
        throw e;
      }
    } catch (IOException e) {
      throw new UnavailableException("jcontainerd cannot start: " + e, e);
    }
  }

  private static PluginGraph graph(
      LoadedConfig config, BuildInfo build, RootFolder root, StateFolder state) throws IOException {
    // nothing of an earlier run may be touched while somebody serves it
    Sockets.requireFree(config, state.path());
    DaemonSettings settings = config.daemon();
    if (!settings.temp().isEmpty()) {
      Folders.make(Path.of(settings.temp()), "rwx------");
      System.setProperty("java.io.tmpdir", settings.temp());
    }
    Ownership.apply(settings);
    LOG.log(
        Level.INFO,
        "starting jcontainerd {0}, root {1}, state {2}",
        build.version(),
        settings.root(),
        settings.state());
    PluginGraph graph = Assembly.of(config, build, root.path(), state.path(), RootFolder.STORE);
    var required = new LinkedHashSet<>(settings.requiredPlugins());
    required.addAll(Assembly.ESSENTIAL);
    graph.start(settings.disabledPlugins(), required);
    return graph;
  }

  private static void closeAfter(Exception failure, AutoCloseable folder) {
    try {
      folder.close();
    } catch (Exception closing) {
      failure.addSuppressed(closing);
    }
  }

  /** Ends in order; containers go on running. */
  @Override
  public void close() {
    graph.close();
    try (root;
        state) {
      LOG.log(Level.DEBUG, "giving back root and state");
    } catch (IOException e) {
      LOG.log(Level.WARNING, "root " + root.path() + " cannot be given back", e);
    }
  }
}

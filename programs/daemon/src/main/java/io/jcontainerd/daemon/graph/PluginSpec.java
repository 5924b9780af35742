package io.jcontainerd.daemon.graph;

import java.util.List;

/**
 * A plug-in that may be started.
 *
 * @param requires types of plug-ins that must have been tried before this one
 */
public record PluginSpec<T>(PluginKey<T> key, List<String> requires, Start<T> start) {
  /** Makes the instance from what others made. */
  @FunctionalInterface
  public interface Start<T> {
    /**
     * Called once, on the thread that starts the graph.
     *
     * @throws SkipPlugin if it does not belong on this machine
     * @throws Exception if it failed; the message is shown to clients
     */
    Started<T> start(Wiring wiring) throws Exception;
  }

  public PluginSpec {
    requires = List.copyOf(requires);
  }
}

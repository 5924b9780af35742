package io.jcontainerd.daemon.graph;

/**
 * Names a plug-in and says what it makes, so that nobody casts.
 *
 * @param type such as {@code io.containerd.snapshotter.v1}
 * @param id such as {@code overlayfs}
 * @param makes the type of its instance
 */
public record PluginKey<T>(String type, String id, Class<T> makes) {
  /** {@code io.containerd.snapshotter.v1.overlayfs}, the form that configuration files use. */
  public String uri() {
    return type + "." + id;
  }

  @Override
  public String toString() {
    return uri();
  }
}

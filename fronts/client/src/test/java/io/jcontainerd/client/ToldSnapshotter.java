package io.jcontainerd.client;

import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.failure.NotFoundException;
import io.jcontainerd.core.introspection.Introspection;
import io.jcontainerd.core.snapshots.Snapshotter;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tells of one snapshotter what it tells of itself. */
record ToldSnapshotter(String name, Snapshotter snapshotter) implements Introspection {
  @Override
  public List<Plugin> plugins() {
    return List.of(
        new Plugin(
            "io.containerd.snapshotter.v1",
            name,
            List.of(),
            List.of(),
            Map.copyOf(snapshotter.exports()),
            List.copyOf(snapshotter.capabilities()),
            Optional.empty()));
  }

  @Override
  public Server server() {
    return new Server("", 1, 1, List.of());
  }

  @Override
  public TypedValue info(String type, String id, Optional<TypedValue> options) {
    throw new NotFoundException("plugin " + id);
  }
}

package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.introspection.Introspection.Deprecation;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.daemon.config.LoadedConfig;
import io.jcontainerd.daemon.settings.ImageSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Uses of what will go away, as clients show them to people. Safe for many threads.
 *
 * <p>The ids are containerd's.
 */
final class Deprecations {
  private static final String PREFIX = "io.containerd.deprecation/";
  private static final String OTLP = "io.containerd.tracing.processor.v1.otlp";
  private static final String TRACING = "io.containerd.internal.v1.tracing";

  private final Time time;
  private final Map<String, Deprecation> seen = new ConcurrentSkipListMap<>();

  Deprecations(Time time) {
    this.time = time;
  }

  /** What this host and its configuration use, {@code cgroups} being where cgroups are mounted. */
  static Deprecations of(LoadedConfig config, Path cgroups, Time time) {
    var deprecations = new Deprecations(time);
    if (!Files.exists(cgroups.resolve("cgroup.controllers"))) {
      deprecations.saw(
          "cgroup-v1",
          "this host has cgroups of version 1, whose support will end: boot it with version 2");
    }
    if (!config.settings(OTLP, ImageSettings.Otlp.class).equals(ImageSettings.Otlp.defaults())) {
      deprecations.saw(
          "tracing-processor-config",
          "the keys of " + OTLP + " will go away: set OTEL_EXPORTER_OTLP_ENDPOINT and its like");
    }
    if (!config
        .settings(TRACING, ImageSettings.Tracing.class)
        .equals(ImageSettings.Tracing.defaults())) {
      deprecations.saw(
          "tracing-service-config",
          "the keys of " + TRACING + " will go away: set OTEL_SERVICE_NAME and its like");
    }
    return deprecations;
  }

  /** Notes a use; the same one again only brings its time forward. */
  void saw(String id, String message) {
    seen.put(id, new Deprecation(PREFIX + id, message, time.now()));
  }

  /** What was seen, in the order of the ids. */
  List<Deprecation> all() {
    return List.copyOf(seen.values());
  }
}

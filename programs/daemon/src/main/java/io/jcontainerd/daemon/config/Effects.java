package io.jcontainerd.daemon.config;

import io.jcontainerd.daemon.settings.DaemonSettings;
import io.jcontainerd.daemon.settings.PluginTables;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * Finds settings that were changed and have no effect in this release: those of plug-ins that are
 * not built in, and single keys of others. They are accepted, since files are written for many
 * daemons, but not without a word.
 */
final class Effects {
  private static final Map<String, Record> DEFAULTS = PluginTables.defaults();

  /** Keys without effect by plug-in; none stands for the whole table. */
  private static final Map<String, List<String>> WITHOUT = without();

  private static final List<String> TIMEOUTS =
      List.of("io.containerd.timeout.bolt.open", "io.containerd.timeout.cri.defercleanup");

  private Effects() {}

  private static Map<String, List<String>> without() {
    var without = new LinkedHashMap<String, List<String>>();
    without.put("io.containerd.runtime.v2.task", List.of("platforms"));
    for (String uri :
        List.of(
            "io.containerd.cri.v1.images",
            "io.containerd.cri.v1.runtime",
            "io.containerd.grpc.v1.cri",
            "io.containerd.internal.v1.tracing",
            "io.containerd.monitor.task.v1.cgroups",
            "io.containerd.nri.v1.nri",
            "io.containerd.service.v1.tasks-service",
            "io.containerd.snapshotter.v1.zfs",
            "io.containerd.tracing.processor.v1.otlp")) {
      without.put(uri, List.of());
    }
    return without;
  }

  /**
   * Warns of each plug-in table and of each other key that was changed in vain.
   *
   * @param place says where the key at a path stands
   */
  static void check(
      DaemonSettings daemon,
      Map<String, Record> plugins,
      Function<List<String>, String> place,
      Findings findings) {
    BiConsumer<List<String>, String> found =
        (path, reason) ->
            findings.warn(
                place.apply(path) + ": " + RecordBinder.name(path) + " has no effect, " + reason);
    WITHOUT.forEach(
        (uri, keys) -> {
          List<String> changed = changed(plugins, uri, keys);
          if (changed.size() == 1) {
            found.accept(List.of("plugins", uri, changed.getFirst()), reason(uri, keys));
          } else if (!changed.isEmpty()) {
            findings.warn(
                place.apply(List.of("plugins", uri, changed.getFirst()))
                    + ": "
                    + RecordBinder.name(List.of("plugins", uri))
                    + ": "
                    + String.join(", ", changed)
                    + " have no effect, "
                    + reason(uri, keys));
          }
        });
    DaemonSettings usual = DaemonSettings.defaults();
    if (daemon.debug().logTraceId()) {
      found.accept(
          List.of("debug", "log_trace_id"), "tracing is not part of this release of jcontainerd");
    }
    for (String name : TIMEOUTS) {
      Duration given = Objects.requireNonNull(daemon.timeouts().get(name));
      if (!given.equals(usual.timeouts().get(name))) {
        found.accept(
            List.of("timeouts", name), "nothing of this release of jcontainerd waits so long");
      }
    }
  }

  private static List<String> changed(Map<String, Record> plugins, String uri, List<String> keys) {
    Map<String, Object> given = RecordBinder.unbind(Objects.requireNonNull(plugins.get(uri)));
    Map<String, Object> usual = RecordBinder.unbind(Objects.requireNonNull(DEFAULTS.get(uri)));
    return given.entrySet().stream()
        .filter(entry -> keys.isEmpty() || keys.contains(entry.getKey()))
        .filter(entry -> !entry.getValue().equals(usual.get(entry.getKey())))
        .map(Map.Entry::getKey)
        .toList();
  }

  private static String reason(String uri, List<String> keys) {
    return keys.isEmpty()
        ? "plugin " + uri + " is not part of this release of jcontainerd"
        : "this release of jcontainerd serves its host's platform";
  }
}

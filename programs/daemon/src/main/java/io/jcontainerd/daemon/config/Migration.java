package io.jcontainerd.daemon.config;

import io.jcontainerd.daemon.settings.CriSettings;
import io.jcontainerd.daemon.settings.DaemonSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings the tree of an older configuration file to the current version, one version at a time.
 *
 * <p>Keys move, values stay. Where the old place and the new one are both filled, the new one
 * counts, for files exist that are written for both.
 */
final class Migration {
  private static final String CRI = "io.containerd.grpc.v1.cri";
  private static final String CRI_IMAGES = "io.containerd.cri.v1.images";
  private static final String CRI_RUNTIME = "io.containerd.cri.v1.runtime";
  private static final String GRPC = "io.containerd.server.v1.grpc";
  private static final String GRPC_TCP = "io.containerd.server.v1.grpc-tcp";
  private static final String TTRPC = "io.containerd.server.v1.ttrpc";

  /** What version 1 called plug-ins, by their id alone. */
  private static final Map<String, String> VERSION_1_IDS =
      Map.ofEntries(
          Map.entry("bolt", "io.containerd.metadata.v1.bolt"),
          Map.entry("btrfs", "io.containerd.snapshotter.v1.btrfs"),
          Map.entry("cgroups", "io.containerd.monitor.v1.cgroups"),
          Map.entry("content", "io.containerd.content.v1.content"),
          Map.entry("cri", CRI),
          Map.entry("devmapper", "io.containerd.snapshotter.v1.devmapper"),
          Map.entry("diff", "io.containerd.service.v1.diff-service"),
          Map.entry("diff-service", "io.containerd.service.v1.diff-service"),
          Map.entry("linux", "io.containerd.runtime.v1.linux"),
          Map.entry("native", "io.containerd.snapshotter.v1.native"),
          Map.entry("opt", "io.containerd.internal.v1.opt"),
          Map.entry("overlayfs", "io.containerd.snapshotter.v1.overlayfs"),
          Map.entry("restart", "io.containerd.internal.v1.restart"),
          Map.entry("scheduler", "io.containerd.gc.v1.scheduler"),
          Map.entry("task", "io.containerd.runtime.v2.task"),
          Map.entry("tasks-service", "io.containerd.service.v1.tasks-service"),
          Map.entry("zfs", "io.containerd.snapshotter.v1.zfs"));

  private static final List<String> CRI_SERVICE_KEYS =
      List.of(
          "disable_tcp_service",
          "stream_server_address",
          "stream_server_port",
          "stream_idle_timeout",
          "enable_tls_streaming",
          "x509_key_pair_streaming");
  private static final List<String> CRI_IMAGE_KEYS =
      List.of(
          "registry",
          "image_decryption",
          "max_concurrent_downloads",
          "image_pull_progress_timeout",
          "image_pull_with_sync_fs",
          "stats_collect_period");
  private static final List<String> REGISTRY_KEYS =
      List.of("mirrors", "configs", "auths", "headers");
  private static final List<String> CRI_CONTAINERD_IMAGE_KEYS =
      List.of("snapshotter", "disable_snapshot_annotations", "discard_unpacked_layers");

  private final Map<String, Object> tree;

  private Migration(Map<String, Object> tree) {
    this.tree = tree;
  }

  /**
   * The version that {@code document} says it has; 1 if it says nothing, 0 with a finding if it is
   * none that this daemon can read.
   */
  static int version(TomlDocument document, Findings findings) {
    Object given = document.tree().getOrDefault("version", 1L);
    if (given instanceof Long number && number >= 1 && number <= DaemonSettings.VERSION) {
      return number.intValue();
    }
    if (!(given instanceof Long)) {
      findings.error(
          document.place(List.of("version"))
              + ": version must be a whole number, not "
              + quoted(given));
      return 0;
    }
    findings.error(
        document.place(List.of("version"))
            + ": configuration version "
            + given
            + " is not supported, this daemon reads 1 to "
            + DaemonSettings.VERSION
            + ": write it as one of them");
    return 0;
  }

  private static String quoted(Object given) {
    return given instanceof String ? '"' + given.toString() + '"' : given.toString();
  }

  /** Changes {@code tree}, which is of version {@code from}, to the current version. */
  static void migrate(Map<String, Object> tree, int from) {
    var migration = new Migration(tree);
    if (from < 2) {
      migration.namePluginsInFull();
    }
    if (from < 3) {
      migration.splitCri();
      migration.renameMonitors();
    }
    if (from < 4) {
      migration.moveServers();
    }
    tree.put("version", (long) DaemonSettings.VERSION);
  }

  private void namePluginsInFull() {
    Map<String, Object> plugins = copy(tree.get("plugins"));
    if (!plugins.isEmpty()) {
      var renamed = new LinkedHashMap<String, Object>();
      plugins.forEach((id, table) -> renamed.put(VERSION_1_IDS.getOrDefault(id, id), table));
      tree.put("plugins", renamed);
    }
    for (String key : List.of("disabled_plugins", "required_plugins")) {
      if (tree.get(key) instanceof List<?> ids) {
        tree.put(
            key,
            ids.stream()
                .map(
                    id ->
                        (Object) VERSION_1_IDS.getOrDefault(String.valueOf(id), String.valueOf(id)))
                .toList());
      }
    }
  }

  private void splitCri() {
    Map<String, Object> plugins = copy(tree.get("plugins"));
    if (!(plugins.get(CRI) instanceof Map<?, ?>)) {
      return;
    }
    Map<String, Object> old = copy(plugins.get(CRI));
    Map<String, Object> images = new LinkedHashMap<>();
    Map<String, Object> service = new LinkedHashMap<>();
    Map<String, Object> runtime = new LinkedHashMap<>();
    old.forEach(
        (key, value) -> {
          if (CRI_SERVICE_KEYS.contains(key)) {
            service.put(key, value);
          } else if (CRI_IMAGE_KEYS.contains(key)) {
            images.put(key, value);
          } else if (key.equals("sandbox_image")) {
            images.put("pinned_images", new LinkedHashMap<>(Map.of("sandbox", value)));
          } else if (!key.equals("containerd")) {
            runtime.put(key, value);
          }
        });
    if (old.get("containerd") instanceof Map<?, ?>) {
      runtime.put("containerd", handlers(copy(old.get("containerd")), images));
    }
    plugins.remove(CRI);
    if (images.get("registry") instanceof Map<?, ?>) {
      images.put("registry", registry(copy(images.get("registry"))));
    }
    if (runtime.get("cni") instanceof Map<?, ?>) {
      runtime.put("cni", network(copy(runtime.get("cni"))));
    }
    fill(plugins, CRI, service);
    fill(plugins, CRI_IMAGES, images);
    fill(plugins, CRI_RUNTIME, runtime);
    tree.put("plugins", plugins);
  }

  /** An empty folder, which was the default, is none unless other keys stand in its place. */
  private static Map<String, Object> registry(Map<String, Object> registry) {
    boolean others =
        REGISTRY_KEYS.stream()
            .anyMatch(key -> registry.get(key) instanceof Map<?, ?> table && !table.isEmpty());
    if (!others) {
      registry.remove("config_path", "");
    }
    return registry;
  }

  /** The one folder of programs became a list of them. */
  private static Map<String, Object> network(Map<String, Object> cni) {
    if (cni.remove("bin_dir") instanceof String folder && !folder.isEmpty()) {
      cni.putIfAbsent("bin_dirs", List.of(folder));
    }
    return cni;
  }

  /** Moves what concerns images out of the runtime handlers' table and returns what stays. */
  private static Map<String, Object> handlers(
      Map<String, Object> containerd, Map<String, Object> images) {
    for (String key : CRI_CONTAINERD_IMAGE_KEYS) {
      Object value = containerd.remove(key);
      if (value != null) {
        images.put(key, value);
      }
    }
    if (containerd.get("runtimes") instanceof Map<?, ?>) {
      Map<String, Object> runtimes = copy(containerd.get("runtimes"));
      for (Map.Entry<String, Object> entry : runtimes.entrySet()) {
        if (entry.getValue() instanceof Map<?, ?>) {
          Map<String, Object> handler = copy(entry.getValue());
          handler.remove("runtime_engine");
          handler.remove("runtime_root");
          Object mode = handler.remove("sandbox_mode");
          if (mode != null) {
            handler.putIfAbsent("sandboxer", mode);
          }
          if (entry.getKey().equals("runc") && handler.get("options") instanceof Map<?, ?>) {
            // what the file says of the usual handler was laid over the defaults, key by key
            Map<String, Object> options = new LinkedHashMap<>(usualOptions());
            options.putAll(copy(handler.get("options")));
            handler.put("options", options);
          }
          entry.setValue(handler);
        }
      }
      containerd.put("runtimes", runtimes);
    }
    return containerd;
  }

  private static Map<String, Object> usualOptions() {
    CriSettings.Handler runc = CriSettings.Runtime.defaults().containerd().runtimes().get("runc");
    return runc == null ? Map.of() : runc.options();
  }

  private void renameMonitors() {
    Map<String, Object> plugins = copy(tree.get("plugins"));
    rename(
        plugins, "io.containerd.internal.v1.restart", "io.containerd.monitor.container.v1.restart");
    rename(plugins, "io.containerd.monitor.v1.cgroups", "io.containerd.monitor.task.v1.cgroups");
    String task = "io.containerd.runtime.v2.task";
    if (plugins.get(task) instanceof Map<?, ?>) {
      Map<String, Object> table = copy(plugins.get(task));
      Object schedCore = table.remove("sched_core");
      plugins.put(task, table);
      if (Boolean.TRUE.equals(schedCore)) {
        fill(
            plugins,
            "io.containerd.shim.v1.manager",
            new LinkedHashMap<>(Map.of("env", List.of("SCHED_CORE=1"))));
      }
    }
    if (!plugins.isEmpty()) {
      tree.put("plugins", plugins);
    }
  }

  private void moveServers() {
    Map<String, Object> plugins = copy(tree.get("plugins"));
    Map<String, Object> grpc = copy(tree.remove("grpc"));
    Map<String, Object> ttrpc = copy(tree.remove("ttrpc"));
    Map<String, Object> metrics = copy(tree.remove("metrics"));
    Map<String, Object> debug = copy(tree.get("debug"));

    if (ttrpc.getOrDefault("address", "").equals("")
        && grpc.get("address") instanceof String address
        && !address.isEmpty()) {
      ttrpc.put("address", address + ".ttrpc");
      for (String owner : List.of("uid", "gid")) {
        Object value = grpc.get(owner);
        if (value != null) {
          ttrpc.putIfAbsent(owner, value);
        }
      }
    }
    var tcp = new LinkedHashMap<String, Object>();
    for (String key : List.of("address", "tls_ca", "tls_cert", "tls_key", "tls_common_name")) {
      Object value = grpc.remove("tcp_" + key);
      if (value != null && !value.equals("")) {
        tcp.put(key, value);
      }
    }
    if (tcp.containsKey("address")) {
      for (String key : List.of("max_recv_message_size", "max_send_message_size")) {
        Object value = grpc.get(key);
        if (value != null) {
          tcp.put(key, value);
        }
      }
    }
    fill(plugins, GRPC, grpc);
    fill(plugins, GRPC_TCP, tcp);
    fill(plugins, TTRPC, ttrpc);
    fill(plugins, "io.containerd.server.v1.debug", take(debug, List.of("address", "uid", "gid")));
    fill(plugins, "io.containerd.server.v1.metrics", take(metrics, List.of("address")));
    fill(
        plugins,
        "io.containerd.metrics.v1.grpc-prometheus",
        take(metrics, List.of("grpc_histogram")));
    if (tree.containsKey("debug")) {
      tree.put("debug", debug);
    }
    if (!plugins.isEmpty()) {
      tree.put("plugins", plugins);
    }
  }

  private static Map<String, Object> take(Map<String, Object> from, List<String> keys) {
    var taken = new LinkedHashMap<String, Object>();
    for (String key : keys) {
      Object value = from.remove(key);
      if (value != null) {
        taken.put(key, value);
      }
    }
    return taken;
  }

  private static void rename(Map<String, Object> plugins, String from, String to) {
    Object table = plugins.remove(from);
    if (table != null) {
      fill(plugins, to, copy(table));
    }
  }

  /** Puts {@code moved} into the table of {@code uri} without overwriting what stands there. */
  private static void fill(Map<String, Object> plugins, String uri, Map<String, Object> moved) {
    if (moved.isEmpty()) {
      return;
    }
    Map<String, Object> table = copy(plugins.get(uri));
    moved.forEach(table::putIfAbsent);
    plugins.put(uri, table);
  }

  private static Map<String, Object> copy(@Nullable Object table) {
    var copy = new LinkedHashMap<String, Object>();
    if (table instanceof Map<?, ?> map) {
      map.forEach((key, value) -> copy.put(String.valueOf(key), value));
    }
    return copy;
  }

  /** Where the keys of an older version's table live now, for a hint; empty for other keys. */
  static List<String> movedTo(String key) {
    var homes = new ArrayList<String>();
    switch (key) {
      case "grpc" -> homes.add(GRPC);
      case "ttrpc" -> homes.add(TTRPC);
      case "metrics" -> homes.add("io.containerd.server.v1.metrics");
      default -> {}
    }
    return homes;
  }
}

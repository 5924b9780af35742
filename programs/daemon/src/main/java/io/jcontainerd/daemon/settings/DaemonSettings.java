package io.jcontainerd.daemon.settings;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The top level of a configuration file of the current version, the plug-ins' tables still as they
 * were written.
 *
 * @param root absolute, what survives a reboot
 * @param state absolute, what does not
 * @param temp a folder for temporary files; empty for the system's
 * @param oomScore written to the daemon's own {@code oom_score_adj} unless 0
 * @param timeouts by name below {@code io.containerd.timeout.}
 */
public record DaemonSettings(
    int version,
    String root,
    String state,
    String temp,
    List<String> disabledPlugins,
    List<String> requiredPlugins,
    int oomScore,
    List<String> imports,
    Debug debug,
    Cgroup cgroup,
    Map<String, Duration> timeouts,
    Map<String, Object> plugins,
    Map<String, ProxyPlugin> proxyPlugins,
    Map<String, StreamProcessor> streamProcessors) {

  /** The version of configuration files that this daemon writes. */
  public static final int VERSION = 4;

  public DaemonSettings {
    requireAbsolute("root", root);
    requireAbsolute("state", state);
    if (root.equals(state)) {
      throw new IllegalArgumentException("root and state must differ, both are " + root);
    }
    if (!temp.isEmpty()) {
      requireAbsolute("temp", temp);
    }
  }

  private static void requireAbsolute(String key, String path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException(
          key + " must be an absolute path, not " + (path.isEmpty() ? "empty" : path));
    }
  }

  public static DaemonSettings defaults() {
    return new DaemonSettings(
        VERSION,
        "/var/lib/containerd",
        "/run/containerd",
        "",
        List.of(),
        List.of(),
        0,
        List.of("/etc/containerd/conf.d/*.toml"),
        new Debug("", "", false),
        new Cgroup(""),
        timeoutDefaults(),
        Map.of(),
        Map.of(),
        streamProcessorDefaults());
  }

  private static Map<String, Duration> timeoutDefaults() {
    var timeouts = new LinkedHashMap<String, Duration>();
    timeouts.put("io.containerd.timeout.bolt.open", Duration.ZERO);
    timeouts.put("io.containerd.timeout.cri.defercleanup", Duration.ofMinutes(1));
    timeouts.put("io.containerd.timeout.metrics.shimstats", Duration.ofSeconds(2));
    timeouts.put("io.containerd.timeout.shim.cleanup", Duration.ofSeconds(5));
    timeouts.put("io.containerd.timeout.shim.load", Duration.ofSeconds(5));
    timeouts.put("io.containerd.timeout.shim.shutdown", Duration.ofSeconds(3));
    timeouts.put("io.containerd.timeout.task.state", Duration.ofSeconds(2));
    return timeouts;
  }

  private static Map<String, StreamProcessor> streamProcessorDefaults() {
    var keys = List.of("--decryption-keys-path", "/etc/containerd/ocicrypt/keys");
    var env =
        List.of("OCICRYPT_KEYPROVIDER_CONFIG=/etc/containerd/ocicrypt/ocicrypt_keyprovider.conf");
    var processors = new LinkedHashMap<String, StreamProcessor>();
    processors.put(
        "io.containerd.ocicrypt.decoder.v1.tar",
        new StreamProcessor(
            List.of("application/vnd.oci.image.layer.v1.tar+encrypted"),
            "application/vnd.oci.image.layer.v1.tar",
            "ctd-decoder",
            keys,
            env));
    processors.put(
        "io.containerd.ocicrypt.decoder.v1.tar.gzip",
        new StreamProcessor(
            List.of("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"),
            "application/vnd.oci.image.layer.v1.tar+gzip",
            "ctd-decoder",
            keys,
            env));
    return processors;
  }

  /** The same with other folders and another log level. */
  public DaemonSettings with(String otherRoot, String otherState, String level) {
    return new DaemonSettings(
        version,
        otherRoot,
        otherState,
        temp,
        disabledPlugins,
        requiredPlugins,
        oomScore,
        imports,
        new Debug(level, debug.format(), debug.logTraceId()),
        cgroup,
        timeouts,
        plugins,
        proxyPlugins,
        streamProcessors);
  }

  /**
   * What is logged and how: level {@code trace} to {@code panic}, format {@code text} or {@code
   * json}.
   */
  public record Debug(String level, String format, boolean logTraceId) {
    public static final List<String> LEVELS =
        List.of("", "trace", "debug", "info", "warn", "error", "fatal", "panic");

    public Debug {
      if (!LEVELS.contains(level)) {
        throw new IllegalArgumentException(
            "level must be one of" + String.join(" ", LEVELS) + ", not " + level);
      }
      if (!List.of("", "text", "json").contains(format)) {
        throw new IllegalArgumentException("format must be text or json, not " + format);
      }
    }
  }

  /** The cgroup that the daemon moves itself into; empty to stay. */
  public record Cgroup(String path) {}

  /** A service elsewhere that appears as a plug-in of ours. */
  public record ProxyPlugin(
      String type,
      String address,
      String platform,
      Map<String, String> exports,
      List<String> capabilities) {
    public static ProxyPlugin defaults() {
      return new ProxyPlugin("", "", "", Map.of(), List.of());
    }
  }

  /** A program that turns layers of one media type into another. */
  public record StreamProcessor(
      List<String> accepts, String returns, String path, List<String> args, List<String> env) {
    public static StreamProcessor defaults() {
      return new StreamProcessor(List.of(), "", "", List.of(), List.of());
    }
  }
}

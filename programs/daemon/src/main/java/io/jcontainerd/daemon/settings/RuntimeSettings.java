package io.jcontainerd.daemon.settings;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/** The tables of tasks, shims and monitors. */
public final class RuntimeSettings {
  private static final int SOCKET_DIR_LIMIT = 42;

  private RuntimeSettings() {}

  /** The task runtime: the platforms it says it runs, {@code linux/amd64} and the like. */
  public record Task(List<String> platforms) {
    public static Task defaults() {
      return new Task(List.of(HostPlatform.name()));
    }
  }

  /**
   * How shims are started.
   *
   * @param env {@code KEY=VALUE}, added to the environment of every shim
   * @param socketDir where their sockets are made, absolute and at most 42 bytes; empty for {@code
   *     /run/containerd/s}
   */
  public record ShimManager(List<String> env, String socketDir) {
    public ShimManager {
      for (String entry : env) {
        if (entry.indexOf('=') < 1) {
          throw new IllegalArgumentException("env must hold KEY=VALUE, not " + entry);
        }
      }
      if (!socketDir.isEmpty() && !socketDir.startsWith("/")) {
        throw new IllegalArgumentException("socket_dir must be absolute, not " + socketDir);
      }
      if (socketDir.getBytes(StandardCharsets.UTF_8).length > SOCKET_DIR_LIMIT) {
        throw new IllegalArgumentException("socket_dir must have at most 42 bytes: " + socketDir);
      }
    }

    public static ShimManager defaults() {
      return new ShimManager(List.of(), "");
    }
  }

  /**
   * Our shim host, which supervises many containers in one process.
   *
   * @param shimGroup which containers share a host: {@code node}, {@code namespace}, {@code pod} or
   *     {@code container}
   * @param ociRuntime the program that makes containers when a request names none; empty for the
   *     first of crun and runc that proves itself on this machine
   * @param path the shim host's launcher; empty for the one that came with the daemon
   */
  public record ShimHost(String shimGroup, String ociRuntime, String path) {
    public static final List<String> GROUPS = List.of("node", "namespace", "pod", "container");

    public ShimHost {
      if (!GROUPS.contains(shimGroup)) {
        throw new IllegalArgumentException(
            "shim_group must be one of " + String.join(", ", GROUPS) + ", not " + shimGroup);
      }
      if (!path.isEmpty() && !path.startsWith("/")) {
        throw new IllegalArgumentException("path must be absolute, not " + path);
      }
    }

    public static ShimHost defaults() {
      return new ShimHost("node", "", "");
    }
  }

  /** The tasks service. */
  public record TasksService(String blockioConfigFile, String rdtConfigFile) {
    public static TasksService defaults() {
      return new TasksService("", "");
    }
  }

  /** The cgroup metrics of tasks. */
  public record CgroupsMonitor(boolean noPrometheus) {
    public static CgroupsMonitor defaults() {
      return new CgroupsMonitor(false);
    }
  }

  /** The restart monitor. */
  public record RestartMonitor(Duration interval) {
    public RestartMonitor {
      if (interval.isNegative() || interval.isZero()) {
        throw new IllegalArgumentException("interval must be longer than 0s");
      }
    }

    public static RestartMonitor defaults() {
      return new RestartMonitor(Duration.ofSeconds(10));
    }
  }

  /** Where optional programs and libraries are installed. */
  public record Opt(String path) {
    public static Opt defaults() {
      return new Opt("/opt/containerd");
    }
  }

  /** NRI plug-ins. */
  public record Nri(
      boolean disable,
      String socketPath,
      String pluginPath,
      String pluginConfigPath,
      Duration pluginRegistrationTimeout,
      Duration pluginRequestTimeout,
      boolean disableConnections) {
    public static Nri defaults() {
      return new Nri(
          false,
          "/var/run/nri/nri.sock",
          "/opt/nri/plugins",
          "/etc/nri/conf.d",
          Duration.ofSeconds(5),
          Duration.ofSeconds(2),
          false);
    }
  }
}

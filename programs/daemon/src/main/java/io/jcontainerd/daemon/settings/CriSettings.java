package io.jcontainerd.daemon.settings;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The tables of Kubernetes' runtime interface. */
public final class CriSettings {
  private CriSettings() {}

  /** Pods and containers. */
  public record Runtime(
      boolean enableSelinux,
      long selinuxCategoryRange,
      long maxContainerLogLineSize,
      boolean disableApparmor,
      boolean restrictOomScoreAdj,
      boolean disableProcMount,
      String unsetSeccompProfile,
      boolean tolerateMissingHugetlbController,
      boolean disableHugetlbController,
      boolean deviceOwnershipFromSecurityContext,
      boolean ignoreImageDefinedVolumes,
      boolean netnsMountsUnderStateDir,
      boolean enableUnprivilegedPorts,
      boolean enableUnprivilegedIcmp,
      boolean enableCdi,
      List<String> cdiSpecDirs,
      Duration drainExecSyncIoTimeout,
      List<String> ignoreDeprecationWarnings,
      String statsCollectPeriod,
      String statsRetentionPeriod,
      boolean enableCriu,
      boolean enableExperimentalRestoreViaCreate,
      Containerd containerd,
      Cni cni) {
    public static Runtime defaults() {
      return new Runtime(
          false,
          1024,
          16384,
          false,
          false,
          false,
          "",
          true,
          true,
          false,
          false,
          false,
          true,
          true,
          true,
          List.of("/etc/cdi", "/var/run/cdi"),
          Duration.ZERO,
          List.of(),
          "",
          "",
          true,
          false,
          Containerd.defaults(),
          Cni.defaults());
    }
  }

  /** The runtime handlers. */
  public record Containerd(
      String defaultRuntimeName,
      boolean ignoreBlockioNotEnabledErrors,
      boolean ignoreRdtNotEnabledErrors,
      Map<String, Handler> runtimes) {
    public static Containerd defaults() {
      return new Containerd("runc", false, false, Map.of("runc", Handler.runc()));
    }
  }

  /** One runtime handler; {@code options} are handed to the shim as they are. */
  public record Handler(
      String runtimeType,
      String runtimePath,
      List<String> podAnnotations,
      List<String> containerAnnotations,
      boolean privilegedWithoutHostDevices,
      boolean privilegedWithoutHostDevicesAllDevicesAllowed,
      boolean cgroupWritable,
      String baseRuntimeSpec,
      String cniConfDir,
      long cniMaxConfNum,
      String snapshotter,
      String sandboxer,
      String ioType,
      Map<String, Object> options) {
    public static Handler defaults() {
      return of("", Map.of());
    }

    static Handler runc() {
      var options = new LinkedHashMap<String, Object>();
      options.put("BinaryName", "");
      options.put("CriuImagePath", "");
      options.put("CriuWorkPath", "");
      options.put("IoGid", 0L);
      options.put("IoUid", 0L);
      options.put("NoNewKeyring", false);
      options.put("Root", "");
      options.put("ShimCgroup", "");
      options.put("SystemdCgroup", false);
      return of("io.containerd.runc.v2", options);
    }

    private static Handler of(String type, Map<String, Object> options) {
      return new Handler(
          type,
          "",
          List.of(),
          List.of(),
          false,
          false,
          false,
          "",
          "",
          0,
          "",
          "podsandbox",
          "",
          options);
    }
  }

  /** The pod network. */
  public record Cni(
      String binDir,
      List<String> binDirs,
      String confDir,
      long maxConfNum,
      boolean setupSerially,
      String confTemplate,
      String ipPref,
      boolean useInternalLoopback) {
    public static Cni defaults() {
      return new Cni("", List.of("/opt/cni/bin"), "/etc/cni/net.d", 1, false, "", "", false);
    }
  }

  /** Images for pods. */
  public record Images(
      String snapshotter,
      boolean disableSnapshotAnnotations,
      boolean discardUnpackedLayers,
      long maxConcurrentDownloads,
      long concurrentLayerFetchBuffer,
      Duration imagePullProgressTimeout,
      boolean imagePullWithSyncFs,
      long statsCollectPeriod,
      boolean useLocalImagePull,
      Map<String, String> pinnedImages,
      Registry registry,
      ImageDecryption imageDecryption,
      Map<String, RuntimePlatform> runtimePlatforms) {
    public static Images defaults() {
      return new Images(
          "overlayfs",
          true,
          false,
          3,
          0,
          Duration.ofMinutes(5),
          false,
          10,
          false,
          Map.of("sandbox", "registry.k8s.io/pause:3.10.2"),
          Registry.defaults(),
          new ImageDecryption("node"),
          Map.of());
    }
  }

  /** Registries; all but {@code config_path} is deprecated and kept as it was written. */
  public record Registry(
      String configPath,
      Map<String, Object> mirrors,
      Map<String, Object> configs,
      Map<String, Object> auths,
      Map<String, Object> headers) {
    public static Registry defaults() {
      return new Registry(
          "/etc/containerd/certs.d:/etc/docker/certs.d", Map.of(), Map.of(), Map.of(), Map.of());
    }
  }

  /** Whose keys decrypt images. */
  public record ImageDecryption(String keyModel) {}

  /** Platform and snapshotter of a runtime handler's images. */
  public record RuntimePlatform(String platform, String snapshotter) {
    public static RuntimePlatform defaults() {
      return new RuntimePlatform("", "");
    }
  }

  /** The streaming server and the socket. */
  public record Service(
      boolean disableTcpService,
      String streamServerAddress,
      String streamServerPort,
      String streamIdleTimeout,
      boolean enableTlsStreaming,
      X509 x509KeyPairStreaming) {
    public static Service defaults() {
      return new Service(true, "127.0.0.1", "0", "4h0m0s", false, new X509("", ""));
    }
  }

  /** A certificate and its key. */
  public record X509(String tlsCertFile, String tlsKeyFile) {}
}

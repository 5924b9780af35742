package io.jcontainerd.daemon.settings;

import java.time.Duration;
import java.util.List;

/** The tables of pulling, verifying and unpacking images. */
public final class ImageSettings {
  private ImageSettings() {}

  /** Programs that may refuse an image before it is pulled. */
  public record ImageVerifier(String binDir, long maxVerifiers, Duration perVerifierTimeout) {
    public ImageVerifier {
      if (!binDir.startsWith("/")) {
        throw new IllegalArgumentException("bin_dir must be an absolute path, not " + binDir);
      }
      if (!perVerifierTimeout.isPositive()) {
        throw new IllegalArgumentException("per_verifier_timeout must be positive");
      }
    }

    public static ImageVerifier defaults() {
      return new ImageVerifier("/opt/containerd/image-verifier/bin", 10, Duration.ofSeconds(10));
    }
  }

  /**
   * The transfer service. As many layers as there are processors are unpacked at the same time
   * unless told otherwise, which containerd leaves at one. Only ours has {@code progress_timeout}:
   * the longest that a pull waits for a registry that says nothing.
   */
  public record Transfer(
      long maxConcurrentDownloads,
      long concurrentLayerFetchBuffer,
      long maxConcurrentUploadedLayers,
      long maxConcurrentUnpacks,
      boolean checkPlatformSupported,
      String configPath,
      Duration progressTimeout,
      List<Unpack> unpackConfig) {
    public static Transfer defaults() {
      return new Transfer(
          3,
          0,
          3,
          0,
          false,
          "",
          Duration.ofMinutes(2),
          List.of(new Unpack(HostPlatform.name(), "overlayfs", "walking", "", List.of(), false)));
    }
  }

  /** What a platform's layers are unpacked with. */
  public record Unpack(
      String platform,
      String snapshotter,
      String differ,
      String configType,
      List<String> layerTypes,
      boolean optional) {
    public static Unpack defaults() {
      return new Unpack("", "", "", "", List.of(), false);
    }
  }

  /** Deprecated: environment variables rule tracing. */
  public record Otlp(String endpoint, String protocol, boolean insecure) {
    public static Otlp defaults() {
      return new Otlp("", "", false);
    }
  }

  /** Deprecated: environment variables rule tracing. */
  public record Tracing(String serviceName, double samplingRatio) {
    public static Tracing defaults() {
      return new Tracing("", 0);
    }
  }
}

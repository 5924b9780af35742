package io.jcontainerd.cli;

import io.jcontainerd.client.Containerd;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.transfer.ImageSelection.UnpackTarget;
import io.jcontainerd.oci.platform.Platforms;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** What all commands that move images take. */
final class ImageOptions {
  @Option(
      names = {"-n", "--namespace"},
      paramLabel = "NAME",
      description = "Whose images; also by $$CONTAINERD_NAMESPACE. Default: ${DEFAULT-VALUE}",
      defaultValue = "${env:CONTAINERD_NAMESPACE:-" + Containerd.DEFAULT_NAMESPACE + "}")
  private String namespace = Containerd.DEFAULT_NAMESPACE;

  @Option(
      names = "--platform",
      paramLabel = "OS/ARCH",
      description = "For this platform, several times for several. Default: this machine's")
  private List<String> platforms = new ArrayList<>();

  @Option(names = "--all-platforms", description = "For all platforms.")
  private boolean allPlatforms;

  String namespace() {
    return namespace;
  }

  boolean allPlatforms() {
    return allPlatforms;
  }

  /** Which platforms; none stands for all. */
  List<Platform> platforms() {
    if (allPlatforms) {
      return List.of();
    }
    return platforms.isEmpty()
        ? List.of(Platforms.host())
        : platforms.stream().map(Platforms::parse).toList();
  }

  /** Where layers are unpacked: nowhere, or by the snapshotter for the platforms. */
  List<UnpackTarget> unpacks(boolean unpack, String snapshotter) {
    if (!unpack) {
      return List.of();
    }
    List<Platform> wanted = platforms().isEmpty() ? List.of(Platforms.host()) : platforms();
    return wanted.stream().map(platform -> new UnpackTarget(platform, snapshotter)).toList();
  }
}

package io.jcontainerd.daemon.settings;

/** The operating system and architecture of this machine, in the words of image indexes. */
public final class HostPlatform {
  private HostPlatform() {}

  /** {@code linux/amd64}, {@code linux/arm64} and the like. */
  public static String name() {
    return "linux/" + architecture();
  }

  public static String architecture() {
    String arch = System.getProperty("os.arch", "");
    return switch (arch) {
      case "x86_64" -> "amd64";
      case "aarch64" -> "arm64";
      default -> arch;
    };
  }
}

package io.jcontainerd.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * What this build is.
 *
 * @param version of jcontainerd
 * @param revision of its sources; empty if the build did not know it
 */
public record BuildInfo(String version, String revision) {
  /** The release of containerd whose behaviour the API has. */
  public static final String CONTAINERD = "2.3.4";

  /** Reads what the build left beside the classes. */
  public static BuildInfo load() {
    var properties = new Properties();
    try (InputStream in = BuildInfo.class.getResourceAsStream("build.properties")) {
      if (in == null) {
        throw new IllegalStateException("build.properties is missing beside the classes");
      }
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException("build.properties cannot be read", e);
    }
    String revision = properties.getProperty("revision", "");
    return new BuildInfo(
        properties.getProperty("version", "0.0.0"), revision.startsWith("$") ? "" : revision);
  }

  /**
   * What the API's Version tells. Clients parse it as a semantic version and choose their behaviour
   * by it, hence containerd's number first and ours as build metadata.
   */
  public String apiVersion() {
    return CONTAINERD + "+jcontainerd." + version;
  }
}

package io.jcontainerd.registry.hosts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.net.URI;

/**
 * Where a host is.
 *
 * @param scheme {@code http} or {@code https}
 * @param authority the host, with its port if one was written
 * @param path without a slash at its end; empty or beginning with one
 */
public record HostAddress(String scheme, String authority, String path) {
  private static final int LAST_PORT = 65_535;
  private static final String VERSION = "/v2";

  /**
   * Reads an address as people write it: what does not begin with {@code http} gets {@code
   * https://}.
   *
   * @throws InvalidArgumentException when it is none
   */
  public static HostAddress parse(String text) {
    URI uri;
    try {
      uri = URI.create(text.startsWith("http") ? text : "https://" + text);
    } catch (IllegalArgumentException e) {
      throw new InvalidArgumentException("\"" + text + "\" is no address", e);
    }
    String scheme = String.valueOf(uri.getScheme());
    if (uri.getHost() == null || !(scheme.equals("http") || scheme.equals("https"))) {
      throw new InvalidArgumentException("\"" + text + "\" is no address of http or https");
    }
    if (uri.getUserInfo() != null || uri.getQuery() != null || uri.getFragment() != null) {
      throw new InvalidArgumentException(
          "\"" + text + "\" holds more than scheme, host, port and path");
    }
    if (uri.getPort() > LAST_PORT) {
      throw new InvalidArgumentException("\"" + text + "\": " + uri.getPort() + " is no port");
    }
    return new HostAddress(
        scheme, uri.getRawAuthority(), uri.getRawPath().replaceAll("/+", "/").replaceAll("/$", ""));
  }

  /** The path below which the distribution protocol is spoken. */
  String apiPath(boolean overridePath) {
    return overridePath || path.endsWith(VERSION) ? path : path + VERSION;
  }

  @Override
  public String toString() {
    return scheme + "://" + authority + path;
  }
}

package io.jcontainerd.registry.hosts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One host that is asked, and how. What must be known to send a request is here; nothing is looked
 * up again.
 *
 * @param transport with or without TLS
 * @param authority the host, with its port if one was written
 * @param path below which the distribution protocol is spoken; empty or beginning with a slash
 * @param capabilities what the host may be used for
 * @param tls whom to believe, when TLS is spoken
 * @param headers sent with every request
 * @param dialTimeout the longest wait for a connection
 * @param namespace the registry in whose place this host is asked, told to it as {@code ?ns=}
 * @param credentials the name under which credentials are looked up
 */
public record Attempt(
    Transport transport,
    String authority,
    String path,
    Set<Capability> capabilities,
    TlsSettings tls,
    Map<String, List<String>> headers,
    Duration dialTimeout,
    Optional<String> namespace,
    String credentials) {
  private static final int LAST_PORT = 65_535;

  /** Refuses a port that is none. */
  public Attempt {
    String port = authority.substring(portColon(authority) < 0 ? 0 : portColon(authority) + 1);
    if (portColon(authority) >= 0 && !isPort(port)) {
      throw new InvalidArgumentException("registry " + authority + ": " + port + " is no port");
    }
  }

  /** With or without TLS. */
  public enum Transport {
    /** Always. */
    HTTPS,
    /** With it, unless the other side turns out not to speak it. */
    HTTPS_OR_HTTP,
    /** Never. */
    HTTP;

    /** Of addresses; {@code https|http} when the other side decides. */
    public String word() {
      return name().toLowerCase(Locale.ROOT).replace("_or_", "|");
    }
  }

  /** The host without its port; an address of IPv6 in brackets. */
  public String host() {
    int colon = portColon(authority);
    return colon < 0 ? authority : authority.substring(0, colon);
  }

  /** The port, written or usual. */
  public int port() {
    int colon = portColon(authority);
    return colon < 0 ? usualPort() : Integer.parseInt(authority, colon + 1, authority.length(), 10);
  }

  private int usualPort() {
    return transport == Transport.HTTP ? 80 : 443;
  }

  /** Scheme and authority, once it is known whether TLS is spoken. */
  public URI base(boolean withTls) {
    return URI.create((withTls ? "https://" : "http://") + authority);
  }

  private static boolean isPort(String text) {
    return text.matches("[0-9]{1,5}") && Integer.parseInt(text) <= LAST_PORT;
  }

  /** Where the colon before a port is; negative without a port. */
  static int portColon(String authority) {
    int colon = authority.lastIndexOf(':');
    return colon > authority.lastIndexOf(']') ? colon : -1;
  }

  @Override
  public String toString() {
    return transport.word() + "://" + authority + path;
  }
}

package io.jcontainerd.registry;

import io.jcontainerd.registry.hosts.Resolution;
import java.io.IOException;
import java.net.URI;

/**
 * An address that a server names: of a redirect, an upload, a next page. It is followed only over
 * http, and from TLS only to TLS, except on this machine.
 */
final class NamedAddress {
  private NamedAddress() {}

  /**
   * The address that {@code text} names in an answer of {@code base}.
   *
   * @throws IOException saying why it is not followed
   */
  static URI resolve(URI base, String text) throws IOException {
    URI named;
    try {
      named = base.resolve(text);
    } catch (IllegalArgumentException e) {
      throw new IOException("\"" + text + "\" is no address", e);
    }
    String scheme = String.valueOf(named.getScheme());
    boolean http = scheme.equals("http");
    if ((!http && !scheme.equals("https")) || named.getHost() == null) {
      throw new IOException("\"" + named + "\" is no address of http");
    }
    if (http && base.getScheme().equals("https") && !Resolution.isLoopback(named.getAuthority())) {
      throw new IOException("from https to \"" + named.getAuthority() + "\" without tls");
    }
    return named;
  }

  /** The address in a header such as {@code </v2/…>; rel="next"}, before it is resolved. */
  static String ofLink(String link) throws IOException {
    int end = link.indexOf('>');
    if (!link.startsWith("<") || end < 0) {
      throw new IOException("\"" + link + "\" is no link");
    }
    return link.substring(1, end);
  }
}

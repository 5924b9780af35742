package io.jcontainerd.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.registry.hosts.Resolution;
import java.io.IOException;
import java.net.URI;
import java.util.HexFormat;

/**
 * An address that a server names: of a redirect, an upload, a next page. It is followed only over
 * http, and from TLS only to TLS, except on this machine.
 */
final class NamedAddress {
  /** What may stand in an address besides letters and digits (RFC 3986). */
  private static final String ALLOWED = "-._~:/?#[]@!$&'()*+,;=%";

  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private NamedAddress() {}

  /**
   * The address that {@code text} names in an answer of {@code base}.
   *
   * @throws IOException saying why it is not followed
   */
  static URI resolve(URI base, String text) throws IOException {
    URI named;
    try {
      String escaped = escaped(text);
      // java.net.URI takes a lone query for one of the folder
      named = base.resolve(escaped.startsWith("?") ? base.getRawPath() + escaped : escaped);
    } catch (IllegalArgumentException _) {
      throw new FinalException("\"" + Printable.address(text) + "\" is no address");
    }
    String scheme = String.valueOf(named.getScheme());
    boolean http = scheme.equals("http");
    if ((!http && !scheme.equals("https")) || named.getHost() == null) {
      throw new FinalException(
          "\"" + Printable.address(named.toString()) + "\" is no address of http");
    }
    if (http && base.getScheme().equals("https") && !Resolution.isLoopback(named.getAuthority())) {
      throw new FinalException("from https to \"" + Printable.authority(named) + "\" without tls");
    }
    return named;
  }

  /** Servers write into addresses what they should have escaped. */
  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              boolean plain =
                  (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
              if (plain || (c < 0x80 && ALLOWED.indexOf(c) >= 0)) {
                escaped.appendCodePoint(c);
              } else {
                for (byte part : Character.toString(c).getBytes(UTF_8)) {
                  escaped.append('%').append(HEX.toHexDigits(part));
                }
              }
            });
    return escaped.toString();
  }
}

package io.jcontainerd.registry;

import java.net.URI;

/**
 * Words of others as they may stand in our messages: short, of one line, and of addresses only what
 * holds no secrets. A query may be signed, and a name before the host may be a password's.
 */
final class Printable {
  private static final int LONGEST = 300;

  private Printable() {}

  static String text(String text) {
    String part = text.length() > LONGEST ? text.substring(0, LONGEST) + "…" : text;
    return part.replaceAll("\\p{C}", " ");
  }

  /** Host and port. */
  static String authority(URI uri) {
    String authority = String.valueOf(uri.getRawAuthority());
    return text(authority.substring(authority.lastIndexOf('@') + 1));
  }

  /** The path. */
  static String path(URI uri) {
    return text(String.valueOf(uri.getRawPath()));
  }

  /** An address, or what should be one, without query and user. */
  static String address(String text) {
    int query = text.indexOf('?');
    String place = query < 0 ? text : text.substring(0, query) + "?…";
    return text(place.replaceFirst("//[^/]*@", "//"));
  }
}

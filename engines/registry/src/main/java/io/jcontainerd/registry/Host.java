package io.jcontainerd.registry;

import io.jcontainerd.oci.reference.Reference;
import java.net.URI;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Where a registry is.
 *
 * @param name as in references, with its port if not the usual
 * @param base scheme and authority of its address
 */
record Host(String name, URI base) {
  private static final Pattern LOOPBACK =
      Pattern.compile("(?:localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1])(?::[0-9]+)?");

  static Host of(Reference reference, Predicate<String> plainHttp) {
    String name = reference.domain();
    String authority = name.equals(Reference.DEFAULT_DOMAIN) ? "registry-1.docker.io" : name;
    String scheme = isLoopback(name) || plainHttp.test(name) ? "http" : "https";
    return new Host(name, URI.create(scheme + "://" + authority));
  }

  static boolean isLoopback(String authority) {
    return LOOPBACK.matcher(authority).matches();
  }

  URI api(Reference reference, String rest) {
    return base.resolve("/v2/" + reference.path() + rest);
  }
}

package io.jcontainerd.registry;

import io.jcontainerd.oci.reference.Reference;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * One request to a registry, before authentication and redirects.
 *
 * @param host whom
 * @param reference on whose behalf, for messages
 * @param method of HTTP
 * @param uri what
 * @param scopes what it needs to be allowed, in the words of token servers
 * @param headers beside the usual ones
 * @param length of the body in bytes
 * @param body made anew for every try
 */
record Ask(
    Host host,
    Reference reference,
    String method,
    URI uri,
    List<String> scopes,
    Map<String, String> headers,
    long length,
    Supplier<BodyPublisher> body) {
  static Ask of(Host host, Reference reference, String method, URI uri, List<String> scopes) {
    return new Ask(host, reference, method, uri, scopes, Map.of(), 0, BodyPublishers::noBody);
  }

  Ask header(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Ask(host, reference, method, uri, scopes, more, length, body);
  }

  Ask body(long newLength, Supplier<BodyPublisher> newBody) {
    return new Ask(host, reference, method, uri, scopes, headers, newLength, newBody);
  }

  static String pull(Reference reference) {
    return "repository:" + reference.path() + ":pull";
  }

  static String push(Reference reference) {
    return "repository:" + reference.path() + ":pull,push";
  }
}

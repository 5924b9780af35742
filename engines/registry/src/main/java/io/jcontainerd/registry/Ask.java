package io.jcontainerd.registry;

import io.jcontainerd.oci.reference.Reference;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One request to a registry, before authentication and redirects.
 *
 * @param host whom
 * @param reference on whose behalf, for messages
 * @param method of HTTP
 * @param uri what
 * @param scopes what it needs to be allowed
 * @param headers beside the usual ones
 * @param body what is sent, if anything
 * @param manner how it is to be treated
 */
record Ask(
    Host host,
    Reference reference,
    String method,
    URI uri,
    Scopes scopes,
    Map<String, String> headers,
    Optional<UploadBody> body,
    Manner manner) {
  /** How a request is to be treated. */
  enum Manner {
    /** Sent again when it fails for reasons that may pass. */
    USUAL(Integer.MAX_VALUE),
    /** Likewise, on a connection of its own, for much will come. */
    BULK(Integer.MAX_VALUE),
    /** Likewise, but only once more, for it may leave something behind each time. */
    SPARING(1),
    /** Sent again only when the registry says that it did not look at it. */
    ONCE(0);

    private final int repeats;

    Manner(int repeats) {
      this.repeats = repeats;
    }

    /** How often it is sent again, at most, though the registry may have done it already. */
    int repeats() {
      return repeats;
    }
  }

  static Ask of(Host host, Reference reference, String method, URI uri, Scopes scopes) {
    return new Ask(host, reference, method, uri, scopes, Map.of(), Optional.empty(), Manner.USUAL);
  }

  Ask header(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Ask(host, reference, method, uri, scopes, more, body, manner);
  }

  Ask body(UploadBody what) {
    return new Ask(host, reference, method, uri, scopes, headers, Optional.of(what), manner);
  }

  Ask manner(Manner other) {
    return new Ask(host, reference, method, uri, scopes, headers, body, other);
  }

  /** The beginning of messages: the image and the registry. */
  String words() {
    return "image " + reference + ": registry " + host.name();
  }

  /** What is asked, for messages. */
  String question() {
    return method + " " + Printable.path(uri);
  }

  /** HTTP/2 shares one connection among all requests, which is wrong for much. */
  boolean isForOneConnection() {
    return manner == Manner.BULK || body.isPresent();
  }
}

package io.jcontainerd.registry;

import io.jcontainerd.oci.reference.Reference;
import io.jcontainerd.registry.hosts.Attempt;
import java.net.URI;
import java.net.http.HttpClient;

/**
 * A host that is spoken to.
 *
 * @param attempt how
 * @param base scheme and authority of its address
 * @param http what speaks to it
 * @param tries how often a request is tried that fails for reasons that may pass
 */
record Host(Attempt attempt, URI base, HttpClient http, int tries) {
  /** The name, with its port if one was written. */
  String name() {
    return attempt.authority();
  }

  /** The address of something of a repository; {@code rest} begins with a slash. */
  URI api(Reference reference, String rest) {
    String where = attempt.path() + "/" + reference.path() + rest;
    String namespace =
        attempt
            .namespace()
            .map(name -> (rest.indexOf('?') < 0 ? "?ns=" : "&ns=") + name)
            .orElse("");
    return base.resolve(where + namespace);
  }

  /** Whether an address is of this host, so that headers and credentials may go there. */
  boolean owns(URI uri) {
    return Line.isSameHost(base, uri);
  }
}

package io.jcontainerd.core.registry;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * How somebody wants registries to be spoken to.
 *
 * @param credentials who knows who we are
 * @param headers sent with every request to a registry itself; take the place of ours
 * @param hostDir the folders that configure registries, with {@code :} between them; empty for
 *     those of the daemon
 * @param defaultScheme {@code https}, {@code http}, or empty for what is usual
 * @param debug what of the requests is written down
 * @param log who gets what is written down; the daemon's log if absent
 */
public record RegistryAccess(
    CredentialSource credentials,
    Map<String, String> headers,
    String hostDir,
    String defaultScheme,
    HttpDebug debug,
    Optional<Consumer<String>> log) {
  private static final Set<String> SCHEMES = Set.of("", "http", "https");

  /** Nobody in particular, as the daemon is configured. */
  public static final RegistryAccess USUAL =
      new RegistryAccess(
          CredentialSource.NONE, Map.of(), "", "", HttpDebug.DISABLED, Optional.empty());

  /** What is written down of requests, none of it with secrets. */
  public enum HttpDebug {
    /** Nothing. */
    DISABLED,
    /** Requests and answers with their headers. */
    DEBUG,
    /** When each part of a request began. */
    TRACE,
    /** Both. */
    BOTH
  }

  /** Refuses unknown schemes, and copies. */
  public RegistryAccess {
    if (!SCHEMES.contains(defaultScheme)) {
      throw new InvalidArgumentException(
          "registry scheme \"" + defaultScheme + "\" is neither http nor https");
    }
    headers = Map.copyOf(headers);
  }

  /** The same with somebody who knows who we are. */
  public RegistryAccess withCredentials(CredentialSource source) {
    return new RegistryAccess(source, headers, hostDir, defaultScheme, debug, log);
  }
}

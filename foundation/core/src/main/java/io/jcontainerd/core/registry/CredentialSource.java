package io.jcontainerd.core.registry;

import java.util.List;

/**
 * Who knows who we are to a registry: a file, a program, or the caller of the daemon. Asked when a
 * registry wants to know, perhaps by several threads at once; may block.
 */
@FunctionalInterface
public interface CredentialSource {
  /** Knows nothing. */
  CredentialSource NONE = _ -> RegistryCredential.None.NONE;

  /**
   * What to answer the registry with.
   *
   * @throws io.jcontainerd.core.failure.ContainerdException if it cannot be told; the request fails
   *     with it
   */
  RegistryCredential find(Challenge challenge);

  /**
   * Who wants to know.
   *
   * @param host the registry, as references name it
   * @param reference the image that it is asked for
   * @param wwwAuthenticate the values of the refusal's header
   */
  record Challenge(String host, String reference, List<String> wwwAuthenticate) {
    /** Copies the list. */
    public Challenge {
      wwwAuthenticate = List.copyOf(wwwAuthenticate);
    }
  }
}

package io.jcontainerd.core.registry;

import java.time.Instant;
import java.util.Optional;

/** What a registry is answered with that wants to know who we are. Secrets are never printed. */
public sealed interface RegistryCredential {
  /** Nothing: we are nobody in particular. */
  enum None implements RegistryCredential {
    /** The only one. */
    NONE
  }

  /**
   * A name and a password.
   *
   * @param username who
   * @param password its proof
   */
  record UserPassword(String username, String password) implements RegistryCredential {
    @Override
    public String toString() {
      return "UserPassword[" + username + "]";
    }
  }

  /**
   * A token that is exchanged for access tokens.
   *
   * @param token the secret
   */
  record RefreshToken(String token) implements RegistryCredential {
    @Override
    public String toString() {
      return "RefreshToken[]";
    }
  }

  /**
   * The value of the header {@code Authorization}, used as it is.
   *
   * @param value the secret
   * @param expireAt when it is asked for again, if ever
   */
  record Header(String value, Optional<Instant> expireAt) implements RegistryCredential {
    @Override
    public String toString() {
      return "Header[expireAt=" + expireAt + "]";
    }
  }
}

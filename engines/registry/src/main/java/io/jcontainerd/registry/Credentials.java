package io.jcontainerd.registry;

import io.jcontainerd.core.registry.RegistryCredential;
import java.time.Instant;
import java.util.Optional;

/**
 * Who we are to a registry. The secret does not appear in {@link #toString}.
 *
 * @param kind what the secret is
 * @param username a name; empty unless the secret is a password
 * @param secret what proves it
 * @param origin where this is known from, for messages; may be empty
 * @param until when it must be looked up anew
 */
public record Credentials(Kind kind, String username, String secret, String origin, Instant until) {
  /** What a secret is. */
  public enum Kind {
    /** A password, for the registry or its token server. */
    PASSWORD,
    /** A token that a token server exchanges for access tokens. */
    IDENTITY_TOKEN,
    /** The whole value of the header {@code Authorization}. */
    HEADER
  }

  /**
   * A name and its password, or an identity token if the name is empty.
   *
   * @param origin where this is known from, for messages
   */
  public Credentials(String username, String secret, String origin) {
    this(
        username.isEmpty() ? Kind.IDENTITY_TOKEN : Kind.PASSWORD,
        username,
        secret,
        origin,
        Instant.MAX);
  }

  /** Credentials of which nobody says where they are from. */
  public Credentials(String username, String secret) {
    this(username, secret, "");
  }

  /** An access token that is shown to the registry itself. */
  public static Credentials registryToken(String token, String origin) {
    return header("Bearer " + token, origin, Instant.MAX);
  }

  /**
   * A value of the header {@code Authorization}, shown as it is.
   *
   * @param until when it must be looked up anew
   */
  public static Credentials header(String value, String origin, Instant until) {
    return new Credentials(Kind.HEADER, "", value, origin, until);
  }

  /** What somebody answered who was asked. */
  static Optional<Credentials> of(RegistryCredential answer) {
    return switch (answer) {
      case RegistryCredential.None _ -> Optional.empty();
      case RegistryCredential.UserPassword(String name, String password) ->
          Optional.of(new Credentials(Kind.PASSWORD, name, password, "", Instant.MAX));
      case RegistryCredential.RefreshToken(String token) ->
          Optional.of(new Credentials(Kind.IDENTITY_TOKEN, "", token, "", Instant.MAX));
      case RegistryCredential.Header(String value, Optional<Instant> until) ->
          Optional.of(header(value, "", until.orElse(Instant.MAX)));
    };
  }

  /** Who we are, for messages, without the secret: {@code as "me" of ~/.docker/config.json}. */
  public String words() {
    String who =
        switch (kind) {
          case PASSWORD -> "as \"" + username + "\"";
          case IDENTITY_TOKEN -> "with an identity token";
          case HEADER -> "with a registry token";
        };
    return who + (origin.isEmpty() ? "" : " of " + origin);
  }

  @Override
  public String toString() {
    return "Credentials[" + words() + "]";
  }
}

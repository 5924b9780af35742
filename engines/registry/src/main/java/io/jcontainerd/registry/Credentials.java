package io.jcontainerd.registry;

/**
 * Who we are to a registry. The secret does not appear in {@link #toString}.
 *
 * @param username a name; empty when the secret is an identity token
 * @param secret a password, or the identity (refresh) token
 * @param origin where this is known from, for messages; may be empty
 */
public record Credentials(String username, String secret, String origin) {
  /** Credentials of which nobody says where they are from. */
  public Credentials(String username, String secret) {
    this(username, secret, "");
  }

  /** True when the secret is an identity token, to be exchanged for access tokens. */
  public boolean isIdentityToken() {
    return username.isEmpty();
  }

  /** Who we are, for messages, without the secret: {@code as "me" of ~/.docker/config.json}. */
  public String words() {
    return (isIdentityToken() ? "with an identity token" : "as \"" + username + "\"")
        + (origin.isEmpty() ? "" : " of " + origin);
  }

  @Override
  public String toString() {
    return "Credentials[" + words() + "]";
  }
}

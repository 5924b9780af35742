package io.jcontainerd.registry;

/**
 * Who we are to a registry. The secret does not appear in {@link #toString}.
 *
 * @param username a name; empty when the secret is an identity token
 * @param secret a password, or the identity (refresh) token
 */
public record Credentials(String username, String secret) {
  /** True when the secret is an identity token, to be exchanged for access tokens. */
  public boolean isIdentityToken() {
    return username.isEmpty();
  }

  @Override
  public String toString() {
    return "Credentials[" + username + "]";
  }
}

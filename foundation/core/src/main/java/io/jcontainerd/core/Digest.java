package io.jcontainerd.core;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The name of a blob: an algorithm and the lower-case hex of its hash. Equal digests are the same
 * bytes. Text form {@code algorithm:hex} (OCI image-spec, descriptor, "Digests").
 *
 * @param algorithm {@code sha256}, {@code sha384} or {@code sha512}
 * @param hex lower-case, as long as the algorithm asks
 */
public record Digest(String algorithm, String hex) implements Comparable<Digest> {

  /** Refuses unknown algorithms and anything but lower-case hex of the right length. */
  public Digest {
    int length =
        switch (algorithm) {
          case "sha256" -> 64;
          case "sha384" -> 96;
          case "sha512" -> 128;
          default ->
              throw new InvalidArgumentException(
                  "digest " + algorithm + ":" + hex + ": unsupported algorithm");
        };
    if (hex.length() != length || !lowerHex(hex)) {
      throw new InvalidArgumentException("digest " + algorithm + ":" + hex + ": malformed");
    }
  }

  /**
   * Reads {@code algorithm:hex}.
   *
   * @throws InvalidArgumentException if the text is no digest
   */
  public static Digest parse(String text) {
    int colon = text.indexOf(':');
    if (colon <= 0) {
      throw new InvalidArgumentException("digest \"" + text + "\": malformed");
    }
    return new Digest(text.substring(0, colon), text.substring(colon + 1));
  }

  /** The SHA-256 digest of the bytes. */
  public static Digest sha256(byte[] bytes) {
    return of("sha256", hasher("sha256").digest(bytes));
  }

  /** The digest made of a finished hash. */
  public static Digest of(String algorithm, byte[] hash) {
    return new Digest(algorithm, HexFormat.of().formatHex(hash));
  }

  /** A fresh hasher for one of the three algorithms. */
  public static MessageDigest hasher(String algorithm) {
    try {
      return MessageDigest.getInstance(
          switch (algorithm) {
            case "sha256" -> "SHA-256";
            case "sha384" -> "SHA-384";
            case "sha512" -> "SHA-512";
            default ->
                throw new InvalidArgumentException(
                    "digest algorithm " + algorithm + ": unsupported");
          });
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has the SHA-2 family", e);
    }
  }

  private static boolean lowerHex(String hex) {
    for (int i = 0; i < hex.length(); i++) {
      char c = hex.charAt(i);
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
        return false;
      }
    }
    return true;
  }

  @Override
  public int compareTo(Digest other) {
    return toString().compareTo(other.toString());
  }

  @Override
  public String toString() {
    return algorithm + ":" + hex;
  }
}

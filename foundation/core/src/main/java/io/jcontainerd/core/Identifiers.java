package io.jcontainerd.core;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.regex.Pattern;

/**
 * The grammar of names: namespaces, containers, leases, sandboxes, plug-ins.
 *
 * <p>Letters and digits, in groups joined by single {@code .}, {@code _} or {@code -}; 1 to 76
 * characters.
 */
public final class Identifiers {
  /** The longest allowed identifier, in characters. */
  public static final int MAX_LENGTH = 76;

  private static final Pattern GRAMMAR = Pattern.compile("[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*");

  private Identifiers() {}

  /**
   * Returns the identifier.
   *
   * @throws InvalidArgumentException if it does not follow the grammar
   */
  public static String check(String identifier) {
    if (identifier.isEmpty()) {
      throw new InvalidArgumentException("identifier must not be empty");
    }
    if (identifier.length() > MAX_LENGTH) {
      throw new InvalidArgumentException(
          "identifier \"%s\" greater than maximum length (%d characters)"
              .formatted(identifier, MAX_LENGTH));
    }
    if (!GRAMMAR.matcher(identifier).matches()) {
      throw new InvalidArgumentException(
          "identifier \"%s\" must match ^%s$".formatted(identifier, GRAMMAR.pattern()));
    }
    return identifier;
  }
}

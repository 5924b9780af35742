package io.jcontainerd.oci.json;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.math.BigDecimal;
import java.util.regex.Pattern;

/**
 * A JSON number, kept as it was written, so that {@code 18446744073709551615} and {@code 1.0}
 * survive a round trip.
 *
 * @param text the number in JSON's grammar
 */
public record JsonNumber(String text) implements Json {
  private static final Pattern GRAMMAR =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
  private static final int LONGEST = 1000;

  /** Refuses text that is no JSON number. */
  public JsonNumber {
    if (text.length() > LONGEST || !GRAMMAR.matcher(text).matches()) {
      throw new InvalidArgumentException(
          "not a json number: " + text.substring(0, Math.min(40, text.length())));
    }
  }

  /**
   * The number as a {@code long}.
   *
   * @throws InvalidArgumentException when it has a fraction or does not fit
   */
  public long longValue() {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException _) {
      return exactLong();
    }
  }

  /** The number with all its digits. */
  public BigDecimal decimal() {
    try {
      return new BigDecimal(text);
    } catch (NumberFormatException | ArithmeticException e) {
      throw new InvalidArgumentException("json number " + text + " is out of range", e);
    }
  }

  private long exactLong() {
    BigDecimal exact = decimal();
    if (Math.abs((long) exact.scale()) > 64) {
      throw new InvalidArgumentException("json number " + text + " is not a 64-bit integer");
    }
    try {
      return exact.longValueExact();
    } catch (ArithmeticException e) {
      throw new InvalidArgumentException("json number " + text + " is not a 64-bit integer", e);
    }
  }

  @Override
  public String toString() {
    return text;
  }
}

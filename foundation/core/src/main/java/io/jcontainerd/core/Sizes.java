package io.jcontainerd.core;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them, in powers of 1024: {@code 64MiB}, {@code 1.5g}, {@code 512}. */
public final class Sizes {
  private static final Pattern SIZE = Pattern.compile("([0-9]+(?:\\.[0-9]+)?) ?([kmgtp]?)(?:i?b)?");

  private Sizes() {}

  /**
   * The bytes.
   *
   * @throws InvalidArgumentException if it is no size
   */
  public static long bytes(String text) {
    Matcher matcher = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new InvalidArgumentException("size \"" + text + "\": not understood");
    }
    int shift = 10 * ("kmgtp".indexOf(matcher.group(2)) + 1);
    BigDecimal bytes =
        new BigDecimal(matcher.group(1))
            .multiply(BigDecimal.valueOf(1L << (matcher.group(2).isEmpty() ? 0 : shift)));
    if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new InvalidArgumentException("size \"" + text + "\": too large");
    }
    return bytes.longValue();
  }
}

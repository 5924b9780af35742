package io.jcontainerd.fuzz;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.filter.Filter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * Filters, as anybody on the socket may send them: parsed or refused, and matched in a time that
 * the lengths of filter and value bound. The value that is asked for is the rest of the input after
 * the first line.
 */
public final class FilterTarget {
  private FilterTarget() {}

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    int line = text.indexOf('\n');
    String expression = line < 0 ? text : text.substring(0, line);
    String value = line < 0 ? "a value" : text.substring(line + 1);
    Filter filter;
    try {
      filter = Filter.parse(expression);
    } catch (InvalidArgumentException e) {
      if (!String.valueOf(e.getMessage()).startsWith("filters: parse error: [")) {
        throw new AssertionError("refused in other words", e);
      }
      return;
    }
    boolean once = filter.matches(path -> Optional.of(value));
    boolean again = Filter.any(List.of(expression)).matches(path -> Optional.of(value));
    filter.matches(path -> Optional.empty());
    if (once != again) {
      throw new AssertionError("two answers");
    }
  }
}

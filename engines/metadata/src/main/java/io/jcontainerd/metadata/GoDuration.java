package io.jcontainerd.metadata;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as Go writes them, such as {@code 1h30m} or {@code -1.5s}. */
final class GoDuration {
  private static final BigDecimal LONGEST = BigDecimal.valueOf(Long.MAX_VALUE);
  private static final Pattern PART =
      Pattern.compile("([0-9]++(?:\\.[0-9]*+)?|\\.[0-9]++)(ns|us|µs|μs|ms|s|m|h)");
  private static final Map<String, Long> UNITS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "µs", 1_000L,
          "μs", 1_000L,
          "ms", 1_000_000L,
          "s", 1_000_000_000L,
          "m", 60_000_000_000L,
          "h", 3_600_000_000_000L);

  private GoDuration() {}

  static Duration parse(String text) {
    boolean signed = text.startsWith("-") || text.startsWith("+");
    String magnitude = signed ? text.substring(1) : text;
    if (magnitude.equals("0")) {
      return Duration.ZERO;
    }
    BigDecimal nanos = BigDecimal.ZERO;
    Matcher part = PART.matcher(magnitude);
    int at = 0;
    while (at < magnitude.length() && part.region(at, magnitude.length()).lookingAt()) {
      Long unit = UNITS.get(part.group(2));
      if (unit == null) {
        throw new AssertionError("the pattern knows the units");
      }
      nanos = nanos.add(new BigDecimal(part.group(1)).multiply(BigDecimal.valueOf(unit)));
      at = part.end();
    }
    if (at == 0 || at != magnitude.length() || nanos.compareTo(LONGEST) > 0) {
      throw new InvalidArgumentException("duration \"" + text + "\"");
    }
    Duration duration = Duration.ofNanos(nanos.longValue());
    return text.startsWith("-") ? duration.negated() : duration;
  }
}

package io.jcontainerd.core.words;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations as Go writes them, in containerd's configuration and in labels: {@code 1m30s}, {@code
 * 250ms}, {@code 0s}. Clients write labels, so no text may take long to be refused.
 */
public final class Durations {
  private static final Pattern TERM =
      Pattern.compile("([0-9]++(?:\\.[0-9]*+)?|\\.[0-9]++)(ns|us|µs|μs|ms|s|m|h)");
  private static final Map<String, Long> NANOS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "µs", 1_000L,
          "μs", 1_000L,
          "ms", 1_000_000L,
          "s", 1_000_000_000L,
          "m", 60_000_000_000L,
          "h", 3_600_000_000_000L);
  private static final BigInteger MAX = BigInteger.valueOf(Long.MAX_VALUE);

  private Durations() {}

  /** Empty when {@code text} is not a duration, or one of more than 292 years. */
  public static Optional<Duration> parse(String text) {
    boolean negative = text.startsWith("-");
    String rest = negative || text.startsWith("+") ? text.substring(1) : text;
    if (rest.equals("0")) {
      return Optional.of(Duration.ZERO);
    }
    if (rest.isEmpty()) {
      return Optional.empty();
    }
    Matcher terms = TERM.matcher(rest);
    BigDecimal nanos = BigDecimal.ZERO;
    int end = 0;
    while (end < rest.length()) {
      if (!terms.region(end, rest.length()).lookingAt()) {
        return Optional.empty();
      }
      String number = terms.group(1);
      long unit = NANOS.getOrDefault(terms.group(2), 1L);
      BigDecimal amount = new BigDecimal(number.endsWith(".") ? number + "0" : number);
      nanos = nanos.add(amount.multiply(BigDecimal.valueOf(unit)));
      end = terms.end();
    }
    BigInteger whole = nanos.setScale(0, RoundingMode.DOWN).toBigIntegerExact();
    if (whole.compareTo(MAX) > 0) {
      return Optional.empty();
    }
    Duration duration = Duration.ofNanos(whole.longValueExact());
    return Optional.of(negative ? duration.negated() : duration);
  }

  /** The canonical form, which {@link #parse} reads back equal. */
  public static String format(Duration duration) {
    if (duration.isZero()) {
      return "0s";
    }
    if (duration.isNegative()) {
      return "-" + format(duration.negated());
    }
    long nanos = duration.toNanos();
    if (nanos < 1_000) {
      return nanos + "ns";
    }
    if (nanos < 1_000_000) {
      return decimal(nanos, 1_000) + "µs";
    }
    if (nanos < 1_000_000_000) {
      return decimal(nanos, 1_000_000) + "ms";
    }
    long hours = duration.toHours();
    long minutes = duration.toMinutesPart();
    long secondNanos = nanos % 60_000_000_000L;
    var text = new StringBuilder();
    if (hours > 0) {
      text.append(hours).append('h');
    }
    if (hours > 0 || minutes > 0) {
      text.append(minutes).append('m');
    }
    return text.append(decimal(secondNanos, 1_000_000_000)).append('s').toString();
  }

  private static String decimal(long nanos, long unit) {
    return BigDecimal.valueOf(nanos)
        .divide(BigDecimal.valueOf(unit))
        .stripTrailingZeros()
        .toPlainString();
  }
}

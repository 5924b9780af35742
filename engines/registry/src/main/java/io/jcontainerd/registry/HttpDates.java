package io.jcontainerd.registry;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Moments as HTTP writes them (RFC 9110, section 5.6.7), the two obsolete forms included. */
final class HttpDates {
  private HttpDates() {}

  /**
   * How long a {@code Retry-After} asks to wait (RFC 9110, section 10.2.3); empty if it is
   * nonsense.
   */
  static Optional<Duration> wait(String text, Instant now) {
    if (text.matches("[0-9]{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
    }
    return parse(text, now)
        .map(when -> Duration.between(now, when))
        .map(wait -> wait.isNegative() ? Duration.ZERO : wait);
  }

  private static Optional<Instant> parse(String text, Instant now) {
    for (DateTimeFormatter form : forms(now)) {
      try {
        return Optional.of(LocalDateTime.parse(text, form).toInstant(ZoneOffset.UTC));
      } catch (DateTimeParseException _) {
        // perhaps it is of the next form
      }
    }
    return Optional.empty();
  }

  private static List<DateTimeFormatter> forms(Instant now) {
    int year;
    try {
      year = now.atOffset(ZoneOffset.UTC).getYear();
    } catch (DateTimeException _) {
      return List.of();
    }
    return List.of(
        form("EEE, dd MMM yyyy HH:mm:ss 'GMT'").toFormatter(Locale.US),
        form("EEEE, dd-MMM-")
            .appendValueReduced(ChronoField.YEAR, 2, 2, year - 49) // RFC 850: two digits
            .appendPattern(" HH:mm:ss 'GMT'")
            .toFormatter(Locale.US),
        form("EEE MMM ppd HH:mm:ss yyyy").toFormatter(Locale.US)); // asctime
  }

  private static DateTimeFormatterBuilder form(String pattern) {
    return new DateTimeFormatterBuilder().parseCaseInsensitive().appendPattern(pattern);
  }
}

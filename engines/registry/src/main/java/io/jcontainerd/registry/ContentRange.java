package io.jcontainerd.registry;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which bytes an answer holds (RFC 9110, section 14.4).
 *
 * @param first offset of the first byte
 * @param last offset of the last byte
 * @param whole how many bytes there are in all, if that is told
 */
record ContentRange(long first, long last, OptionalLong whole) {
  private static final Pattern FORM =
      Pattern.compile("(?i)bytes\\s+([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\\*)");

  static Optional<ContentRange> parse(String text) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String whole = matcher.group(3);
    return Optional.of(
        new ContentRange(
            Long.parseLong(matcher.group(1)),
            Long.parseLong(matcher.group(2)),
            whole.equals("*") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(whole))));
  }

  /** Whether these are the bytes from one offset to before another. */
  boolean is(long from, long until) {
    return first == from && last == until - 1;
  }
}

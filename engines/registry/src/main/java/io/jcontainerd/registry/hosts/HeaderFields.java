package io.jcontainerd.registry.hosts;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/** What may be sent as a header (RFC 9110, section 5) by somebody who is not the connection. */
public final class HeaderFields {
  private static final Pattern NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
  private static final Pattern VALUE = Pattern.compile("[\\t\\x20-\\x7e\\x80-\\xff]*");

  /** Headers that belong to the connection and not to what is asked. */
  private static final Set<String> OF_THE_CONNECTION =
      Set.of("connection", "content-length", "expect", "host", "upgrade");

  private HeaderFields() {}

  /** Whether a header may have this name. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches()
        && !OF_THE_CONNECTION.contains(name.toLowerCase(Locale.ROOT));
  }

  /** Whether a header may have this value; none that could begin another header. */
  public static boolean isValue(String value) {
    return VALUE.matcher(value).matches();
  }
}

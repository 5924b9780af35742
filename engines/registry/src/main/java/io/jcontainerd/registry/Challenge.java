package io.jcontainerd.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One way of proving who we are that a server offers (RFC 9110, {@code WWW-Authenticate}).
 *
 * @param scheme in lower case
 * @param parameters names in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
  private static final Pattern PARAMETER =
      Pattern.compile(
          "\\G[\\s,]*("
              + TOKEN
              + ")\\s*=\\s*(?:\"([^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)\"|([^\\s,\"]*))");
  private static final Pattern SCHEME =
      Pattern.compile("\\G[\\s,]*(" + TOKEN + ")(?=\\s|,|$)(?!\\s*=)");

  /** All challenges of the header's values. */
  static List<Challenge> parse(List<String> values) {
    List<Challenge> challenges = new ArrayList<>();
    for (String value : values) {
      Matcher scheme = SCHEME.matcher(value);
      Matcher parameter = PARAMETER.matcher(value);
      int at = 0;
      while (at < value.length() && scheme.find(at)) {
        at = scheme.end();
        Map<String, String> parameters = new LinkedHashMap<>();
        while (parameter.find(at)) {
          String text =
              parameter.group(2) != null
                  ? parameter.group(2).replaceAll("\\\\(.)", "$1")
                  : parameter.group(3);
          parameters.put(parameter.group(1).toLowerCase(Locale.ROOT), text);
          at = parameter.end();
        }
        challenges.add(new Challenge(scheme.group(1).toLowerCase(Locale.ROOT), parameters));
      }
    }
    return challenges;
  }

  static Optional<Challenge> ofScheme(List<Challenge> challenges, String scheme) {
    return challenges.stream().filter(c -> c.scheme.equals(scheme)).findFirst();
  }

  String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }
}

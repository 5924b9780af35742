package io.jcontainerd.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place that an answer points at (RFC 8288, which took the place of RFC 5988).
 *
 * @param target an address, perhaps relative
 * @param parameters by name in lower case, such as {@code rel}
 */
record WebLink(String target, Map<String, String> parameters) {
  private static final Pattern TARGET = Pattern.compile("\\G[\\s,]*<([^>]*)>");
  private static final Pattern PARAMETER =
      Pattern.compile(
          "\\G\\s*;\\s*([^\\s=;,\"<>]++)\\s*"
              + "(?:=\\s*(?:\"([^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)\"|([^\\s;,\"<>]*+)))?");

  /** All links of the header's values; what is no link ends the value that it stands in. */
  static List<WebLink> parse(List<String> values) {
    List<WebLink> links = new ArrayList<>();
    for (String value : values) {
      Matcher target = TARGET.matcher(value);
      Matcher parameter = PARAMETER.matcher(value);
      int at = 0;
      while (at < value.length() && target.find(at)) {
        at = target.end();
        Map<String, String> parameters = new TreeMap<>();
        while (at < value.length() && parameter.find(at)) {
          String quoted = parameter.group(2);
          String text =
              quoted != null
                  ? quoted.replaceAll("\\\\(.)", "$1")
                  : Optional.ofNullable(parameter.group(3)).orElse("");
          parameters.putIfAbsent(parameter.group(1).toLowerCase(Locale.ROOT), text);
          at = parameter.end();
        }
        links.add(new WebLink(target.group(1), parameters));
      }
    }
    return links;
  }

  /** Where the next page is. */
  static Optional<String> next(List<String> values) {
    return parse(values).stream().filter(WebLink::isNext).map(WebLink::target).findFirst();
  }

  private boolean isNext() {
    String relations = parameters.getOrDefault("rel", "").toLowerCase(Locale.ROOT);
    return List.of(relations.split("\\s+", -1)).contains("next");
  }
}

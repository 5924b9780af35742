package io.jcontainerd.metadata;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Labels as text that people can read: one {@code key=value} a line, sorted by key. Backslash, line
 * feed and, in keys, the equals sign are written {@code \\}, {@code \n} and {@code \e}.
 */
final class LabelText {
  private LabelText() {}

  static String write(Map<String, String> labels) {
    if (labels.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    new TreeMap<>(labels)
        .forEach(
            (key, value) -> {
              escape(text, key, true);
              text.append('=');
              escape(text, value, false);
              text.append('\n');
            });
    return text.toString();
  }

  private static void escape(StringBuilder text, String part, boolean isKey) {
    for (int i = 0; i < part.length(); i++) {
      char c = part.charAt(i);
      switch (c) {
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '=' -> text.append(isKey ? "\\e" : "=");
        default -> text.append(c);
      }
    }
  }

  static Map<String, String> read(String text) {
    return read(text, "");
  }

  /**
   * Only the labels whose keys begin so.
   *
   * @param prefix of characters that are written as they are
   */
  static Map<String, String> read(String text, String prefix) {
    if (text.isEmpty()) {
      return Map.of();
    }
    Map<String, String> labels = new HashMap<>();
    int at = 0;
    while (at < text.length()) {
      int end = text.indexOf('\n', at);
      if (text.startsWith(prefix, at)) {
        int equals = text.indexOf('=', at);
        labels.put(unescape(text.substring(at, equals)), unescape(text.substring(equals + 1, end)));
      }
      at = end + 1;
    }
    return labels;
  }

  private static String unescape(String part) {
    if (part.indexOf('\\') < 0) {
      return part;
    }
    StringBuilder plain = new StringBuilder(part.length());
    int at = 0;
    while (at < part.length()) {
      char c = part.charAt(at++);
      if (c == '\\') {
        c =
            switch (part.charAt(at++)) {
              case 'n' -> '\n';
              case 'e' -> '=';
              default -> '\\';
            };
      }
      plain.append(c);
    }
    return plain.toString();
  }
}

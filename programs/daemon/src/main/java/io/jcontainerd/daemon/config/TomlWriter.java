package io.jcontainerd.daemon.config;

import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Prints plain values as TOML, two blanks a level, values of a table before its sub-tables. */
final class TomlWriter {
  private static final Pattern BARE = Pattern.compile("[A-Za-z0-9_-]+");

  private final StringBuilder out = new StringBuilder();

  private TomlWriter() {}

  static String write(Map<String, ?> tree) {
    var writer = new TomlWriter();
    writer.table(tree, List.of(), 0);
    return writer.out.toString();
  }

  private void table(Map<String, ?> table, List<String> path, int depth) {
    String indent = "  ".repeat(depth);
    table.forEach(
        (key, value) -> {
          if (!nests(value)) {
            out.append(indent).append(quotedKey(key)).append(" = ").append(inline(value));
            out.append('\n');
          }
        });
    table.forEach(
        (key, value) -> {
          var inner = new ArrayList<>(path);
          inner.add(key);
          if (value instanceof Map<?, ?> map) {
            header(inner, depth, "[", "]");
            table(strings(map), inner, depth + 1);
          } else if (nests(value) && value instanceof List<?> list) {
            for (Object element : list) {
              header(inner, depth, "[[", "]]");
              table(strings((Map<?, ?>) element), inner, depth + 1);
            }
          }
        });
  }

  private void header(List<String> path, int depth, String open, String close) {
    if (!out.isEmpty()) {
      out.append('\n');
    }
    out.append("  ".repeat(depth)).append(open);
    out.append(String.join(".", path.stream().map(TomlWriter::quotedKey).toList()));
    out.append(close).append('\n');
  }

  private static boolean nests(Object value) {
    return value instanceof Map<?, ?>
        || (value instanceof List<?> list
            && !list.isEmpty()
            && list.stream().allMatch(Map.class::isInstance));
  }

  private static Map<String, ?> strings(Map<?, ?> map) {
    var copy = new LinkedHashMap<String, Object>();
    map.forEach((key, value) -> copy.put(String.valueOf(key), value));
    return copy;
  }

  private static String inline(Object value) {
    return switch (value) {
      case String text -> quote(text);
      case List<?> list ->
          "[" + String.join(", ", list.stream().map(TomlWriter::inline).toList()) + "]";
      case Map<?, ?> map -> {
        var entries = new ArrayList<String>();
        map.forEach(
            (key, inner) -> entries.add(quotedKey(String.valueOf(key)) + " = " + inline(inner)));
        yield entries.isEmpty() ? "{}" : "{ " + String.join(", ", entries) + " }";
      }
      case Double number when number.isInfinite() -> number > 0 ? "inf" : "-inf";
      case Double number when number.isNaN() -> "nan";
      case OffsetDateTime time -> DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(time);
      case LocalDateTime time -> DateTimeFormatter.ISO_LOCAL_DATE_TIME.format(time);
      case LocalTime time -> DateTimeFormatter.ISO_LOCAL_TIME.format(time);
      default -> value.toString();
    };
  }

  private static String quotedKey(String key) {
    return BARE.matcher(key).matches() ? key : quote(key);
  }

  private static String quote(String text) {
    if (text.chars().noneMatch(c -> c == '\'' || c < 0x20 || c == 0x7f)) {
      return "'" + text + "'";
    }
    var quoted = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> quoted.append("\\\"");
        case '\\' -> quoted.append("\\\\");
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        default -> {
          if (c < 0x20 || c == 0x7f) {
            quoted.append(String.format("\\u%04x", (int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }
}

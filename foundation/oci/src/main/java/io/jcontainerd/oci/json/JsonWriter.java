package io.jcontainerd.oci.json;

import java.util.Iterator;
import java.util.Map;

/**
 * Turns a tree into text. Lone surrogates are written as escapes, for UTF-8 has no bytes for them.
 */
final class JsonWriter {
  private static final String HEX = "0123456789abcdef";

  private final StringBuilder out = new StringBuilder();
  private final boolean pretty;

  private JsonWriter(boolean pretty) {
    this.pretty = pretty;
  }

  static String compact(Json value) {
    JsonWriter writer = new JsonWriter(false);
    writer.write(value, 0);
    return writer.out.toString();
  }

  static String pretty(Json value) {
    JsonWriter writer = new JsonWriter(true);
    writer.write(value, 0);
    return writer.out.toString();
  }

  private void write(Json value, int depth) {
    switch (value) {
      case JsonObject(Map<String, Json> fields) -> writeObject(fields, depth);
      case JsonArray array -> writeArray(array, depth);
      case JsonString(String text) -> quote(text);
      case JsonNumber(String text) -> out.append(text);
      case JsonBoolean flag -> out.append(flag.value());
      case JsonNull _ -> out.append("null");
    }
  }

  private void writeObject(Map<String, Json> fields, int depth) {
    out.append('{');
    Iterator<Map.Entry<String, Json>> entries = fields.entrySet().iterator();
    while (entries.hasNext()) {
      Map.Entry<String, Json> entry = entries.next();
      newLine(depth + 1);
      quote(entry.getKey());
      out.append(pretty ? ": " : ":");
      write(entry.getValue(), depth + 1);
      out.append(entries.hasNext() ? "," : "");
    }
    if (!fields.isEmpty()) {
      newLine(depth);
    }
    out.append('}');
  }

  private void writeArray(JsonArray array, int depth) {
    out.append('[');
    Iterator<Json> values = array.values().iterator();
    while (values.hasNext()) {
      newLine(depth + 1);
      write(values.next(), depth + 1);
      out.append(values.hasNext() ? "," : "");
    }
    if (!array.values().isEmpty()) {
      newLine(depth);
    }
    out.append(']');
  }

  private void newLine(int depth) {
    if (pretty) {
      out.append('\n').repeat("  ", depth);
    }
  }

  private void quote(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < 0x20 || c == 0x2028 || c == 0x2029 || isLoneSurrogate(text, i)) {
            escape(c);
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }

  private void escape(char c) {
    out.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      out.append(HEX.charAt((c >> shift) & 0xf));
    }
  }

  private static boolean isLoneSurrogate(String text, int i) {
    char c = text.charAt(i);
    if (Character.isHighSurrogate(c)) {
      return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
    }
    return Character.isLowSurrogate(c)
        && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
  }
}

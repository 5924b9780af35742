package io.jcontainerd.oci.json;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads text of RFC 8259. Of two fields with one name the last wins, as in other readers of these
 * documents. Depth and the number of values are bounded, so that hostile nesting ends in a message
 * and not in a stack overflow, and megabytes of empty arrays do not fill the heap.
 */
final class JsonReader {
  private static final int DEEPEST = 64; // a thread of the daemon has 256 KiB of stack
  private static final int MOST_VALUES = 1 << 18;
  private static final char END = '\uffff';

  private final String text;
  private int position;
  private int depth;
  private int values;

  private JsonReader(String text) {
    this.text = text;
  }

  static Json read(byte[] bytes) {
    try {
      return read(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      throw new InvalidArgumentException("json: not valid utf-8", e);
    }
  }

  static Json read(String text) {
    JsonReader reader = new JsonReader(text);
    reader.skipSpace();
    Json value = reader.value();
    reader.skipSpace();
    if (reader.position < text.length()) {
      throw reader.unexpected("the end");
    }
    return value;
  }

  private Json value() {
    if (++values > MOST_VALUES) {
      throw new InvalidArgumentException(
          "json at character " + position + ": more than " + MOST_VALUES + " values");
    }
    return switch (peek()) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> new JsonString(string());
      case 't' -> word("true", JsonBoolean.TRUE);
      case 'f' -> word("false", JsonBoolean.FALSE);
      case 'n' -> word("null", JsonNull.NULL);
      case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' -> number();
      default -> throw unexpected("a value");
    };
  }

  private JsonObject object() {
    enter();
    Map<String, Json> fields = new LinkedHashMap<>();
    position++;
    skipSpace();
    if (!skip('}')) {
      do {
        skipSpace();
        if (peek() != '"') {
          throw unexpected("a field name");
        }
        String name = string();
        skipSpace();
        require(':');
        skipSpace();
        fields.put(name, value());
        skipSpace();
      } while (skip(','));
      require('}');
    }
    depth--;
    return new JsonObject(fields);
  }

  private JsonArray array() {
    enter();
    List<Json> values = new ArrayList<>();
    position++;
    skipSpace();
    if (!skip(']')) {
      do {
        skipSpace();
        values.add(value());
        skipSpace();
      } while (skip(','));
      require(']');
    }
    depth--;
    return new JsonArray(values);
  }

  private void enter() {
    if (++depth > DEEPEST) {
      throw new InvalidArgumentException("json at character " + position + ": nested too deeply");
    }
  }

  private JsonNumber number() {
    int start = position;
    while (isNumberPart(peek())) {
      position++;
    }
    try {
      return new JsonNumber(text.substring(start, position));
    } catch (InvalidArgumentException e) {
      throw new InvalidArgumentException("json at character " + start + ": " + e.getMessage(), e);
    }
  }

  private static boolean isNumberPart(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
  }

  private String string() {
    position++;
    int start = position;
    while (peek() != '"' && peek() != '\\' && peek() >= 0x20 && position < text.length()) {
      position++;
    }
    if (peek() == '"') {
      return text.substring(start, position++);
    }
    StringBuilder result = new StringBuilder(text.substring(start, position));
    while (!skip('"')) {
      if (position >= text.length() || peek() < 0x20) {
        throw unexpected("the rest of a string");
      }
      char c = text.charAt(position++);
      result.append(c == '\\' ? escape() : c);
    }
    return result.toString();
  }

  private char escape() {
    char c = peek();
    position++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> fourDigits();
      default -> {
        position--;
        throw unexpected("an escape");
      }
    };
  }

  private char fourDigits() {
    int code = 0;
    for (int i = 0; i < 4; i++) {
      int digit = peek() < 128 ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw unexpected("four hexadecimal digits");
      }
      code = code * 16 + digit;
      position++;
    }
    return (char) code;
  }

  private Json word(String word, Json value) {
    if (!text.startsWith(word, position)) {
      throw unexpected(word);
    }
    position += word.length();
    return value;
  }

  private char peek() {
    return position < text.length() ? text.charAt(position) : END;
  }

  private boolean skip(char wanted) {
    if (position < text.length() && text.charAt(position) == wanted) {
      position++;
      return true;
    }
    return false;
  }

  private void require(char wanted) {
    if (!skip(wanted)) {
      throw unexpected("'" + wanted + "'");
    }
  }

  private void skipSpace() {
    while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
  }

  private InvalidArgumentException unexpected(String wanted) {
    String found =
        position >= text.length() ? "the end of the text" : "'" + text.charAt(position) + "'";
    return new InvalidArgumentException(
        "json at character " + position + ": expected " + wanted + ", found " + found);
  }
}

package io.jcontainerd.core.filter;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads one filter by recursive descent. White space may stand before any token but a comma or dot.
 */
final class FilterParser {
  private static final int END = -1;

  private final String input;
  private int at;

  FilterParser(String input) {
    this.input = input;
  }

  List<Selector> parse() {
    int bad = input.indexOf('\0');
    if (bad >= 0) {
      throw error(bad, "unexpected null");
    }
    var selectors = new ArrayList<Selector>();
    selectors.add(selector());
    while (at < input.length()) {
      if (peek() != ',') {
        throw error(at, "unexpected input: " + Character.toString(peek()));
      }
      at++;
      selectors.add(selector());
    }
    return List.copyOf(selectors);
  }

  private Selector selector() {
    var path = new ArrayList<String>();
    path.add(field());
    while (peek() == '.') {
      at++;
      path.add(field());
    }
    if (peek() == ',' || peek() == END) {
      return new Selector(path, new Selector.Test.Present());
    }
    return new Selector(path, comparison());
  }

  private String field() {
    skipSpace();
    int start = at;
    if (isQuote(peek())) {
      return quoted(false);
    }
    while (isFieldCharacter(peek())) {
      at++;
    }
    if (at == start) {
      throw error(start, "expected field or quoted");
    }
    return input.substring(start, at);
  }

  private Selector.Test comparison() {
    skipSpace();
    int start = at;
    while (isOperatorCharacter(peek())) {
      at++;
    }
    String operator = input.substring(start, at);
    if (isQuote(peek()) && operator.isEmpty()) {
      endOfQuoted(start, peek()); // a slash in a bare key: say first that it opens a quotation
    }
    return switch (operator) {
      case "==" -> new Selector.Test.Equal(value(false));
      case "!=" -> new Selector.Test.NotEqual(value(false));
      case "~=" -> new Selector.Test.Matches(Regex.compile(value(true)));
      case "" -> throw error(start, "expected an operator (\"==\"|\"!=\"|\"~=\")");
      default -> throw error(start, "unsupported operator \"" + operator + "\"");
    };
  }

  private String value(boolean expression) {
    skipSpace();
    int start = at;
    int first = peek();
    if (isQuote(first)) {
      return quoted(expression);
    }
    if (first == '.' || isOperatorCharacter(first)) {
      throw error(start, "expected value or quoted");
    }
    while (isValueCharacter(peek())) {
      at += Character.charCount(peek());
    }
    if (at == start) {
      throw error(start, "expected value or quoted");
    }
    return input.substring(start, at);
  }

  private String quoted(boolean expression) {
    int start = at;
    int quote = peek();
    int end = endOfQuoted(start, quote);
    if (quote != '"' && !expression) {
      throw error(start, "invalid quote encountered");
    }
    String body = input.substring(start + 1, end);
    at = end + 1;
    try {
      return GoEscapes.decode(body, (char) quote);
    } catch (IllegalArgumentException e) {
      throw error(start, String.valueOf(e.getMessage()));
    }
  }

  private int endOfQuoted(int start, int quote) {
    for (int i = start + 1; i < input.length(); i++) {
      char c = input.charAt(i);
      if (c == quote) {
        return i;
      }
      if (c == '\n') {
        break;
      }
      if (c == '\\') {
        i++;
      }
    }
    throw error(start, "quoted literal not terminated");
  }

  private int peek() {
    return at < input.length() ? input.codePointAt(at) : END;
  }

  private void skipSpace() {
    while (isSpace(peek())) {
      at += Character.charCount(peek());
    }
  }

  private static boolean isSpace(int c) {
    return (c >= '\t' && c <= '\r') || c == 0x85 || (c != END && Character.isSpaceChar(c));
  }

  private static boolean isFieldCharacter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }

  private static boolean isOperatorCharacter(int c) {
    return c == '=' || c == '!' || c == '~';
  }

  private static boolean isQuote(int c) {
    return c == '"' || c == '/' || c == '|';
  }

  private static boolean isValueCharacter(int c) {
    if (c == END || c == ',' || isSpace(c)) {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }

  private InvalidArgumentException error(int position, String reason) {
    if (position >= input.length()) {
      return new InvalidArgumentException("filters: parse error: [" + input + "]: " + reason);
    }
    int next = input.offsetByCodePoints(position, 1);
    return new InvalidArgumentException(
        "filters: parse error: [%s >|%s|< %s]: %s"
            .formatted(
                input.substring(0, position),
                input.substring(position, next),
                input.substring(next),
                reason));
  }
}

package io.jcontainerd.core.filter;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * The escapes of a Go string literal. Octal and {@code \x} escapes stand for bytes, which together
 * must be UTF-8; bytes that are not become U+FFFD.
 */
final class GoEscapes {
  private GoEscapes() {}

  /**
   * Decodes what stands between two quotes.
   *
   * @throws IllegalArgumentException with the reason as its message
   */
  static String decode(String body, char quote) {
    if (body.indexOf('\\') < 0) {
      return body;
    }
    var bytes = new ByteArrayOutputStream();
    int i = 0;
    while (i < body.length()) {
      int c = body.codePointAt(i);
      i += Character.charCount(c);
      if (c != '\\') {
        bytes.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      char escape = body.charAt(i++);
      switch (escape) {
        case 'a' -> bytes.write(7);
        case 'b' -> bytes.write('\b');
        case 'f' -> bytes.write('\f');
        case 'n' -> bytes.write('\n');
        case 'r' -> bytes.write('\r');
        case 't' -> bytes.write('\t');
        case 'v' -> bytes.write(11);
        case '\\' -> bytes.write('\\');
        case '0', '1', '2', '3', '4', '5', '6', '7' -> {
          bytes.write(octal(body, i - 1));
          i += 2;
        }
        case 'x' -> {
          bytes.write((int) hex(body, i, 2));
          i += 2;
        }
        case 'u' -> {
          bytes.writeBytes(encode(hex(body, i, 4)));
          i += 4;
        }
        case 'U' -> {
          bytes.writeBytes(encode(hex(body, i, 8)));
          i += 8;
        }
        default -> {
          if (escape != quote) {
            throw new IllegalArgumentException("illegal escape sequence");
          }
          bytes.write(escape);
        }
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private static int octal(String body, int from) {
    int value = 0;
    for (int i = from; i < from + 3; i++) {
      if (i >= body.length() || body.charAt(i) < '0' || body.charAt(i) > '7') {
        throw new IllegalArgumentException("illegal numeric escape sequence");
      }
      value = value * 8 + body.charAt(i) - '0';
    }
    if (value > 255) {
      throw new IllegalArgumentException("unquoting failed: quote syntax error");
    }
    return value;
  }

  private static long hex(String body, int from, int digits) {
    if (from + digits > body.length()) {
      throw new IllegalArgumentException("illegal numeric escape sequence");
    }
    for (int i = from; i < from + digits; i++) {
      if (!HexFormat.isHexDigit(body.charAt(i))) {
        throw new IllegalArgumentException("illegal numeric escape sequence");
      }
    }
    return HexFormat.fromHexDigitsToLong(body, from, from + digits);
  }

  private static byte[] encode(long codePoint) {
    if (codePoint > Character.MAX_CODE_POINT) {
      throw new IllegalArgumentException("unquoting failed: quote syntax error");
    }
    return Character.toString((int) codePoint).getBytes(StandardCharsets.UTF_8);
  }
}

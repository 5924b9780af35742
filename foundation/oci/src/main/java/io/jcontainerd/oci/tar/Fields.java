package io.jcontainerd.oci.tar;

import io.jcontainerd.core.RawPath;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;

/** Reads the fields of a 512-byte header: NUL-ended text, octal numbers and GNU's base-256 ones. */
final class Fields {
  private Fields() {}

  static RawPath text(byte[] header, int offset, int length) {
    int end = offset;
    while (end < offset + length && header[end] != 0) {
      end++;
    }
    return RawPath.of(Arrays.copyOfRange(header, offset, end));
  }

  /** A number in octal digits, blanks and NULs around them, or in big-endian binary. */
  static long number(byte[] header, int offset, int length, String field)
      throws TarFormatException {
    if ((header[offset] & 0x80) != 0) {
      return binary(header, offset, length, field);
    }
    int start = offset;
    int end = offset + length;
    while (start < end && (header[start] == ' ' || header[start] == 0)) {
      start++;
    }
    while (end > start && (header[end - 1] == ' ' || header[end - 1] == 0)) {
      end--;
    }
    long value = 0;
    for (int i = start; i < end; i++) {
      int digit = header[i] - '0';
      if (header[i] == 0) {
        break;
      }
      if (digit < 0 || digit > 7 || value >>> 60 != 0) {
        throw new TarFormatException("malformed " + field + " in a tar header");
      }
      value = value << 3 | digit;
    }
    return value;
  }

  private static long binary(byte[] header, int offset, int length, String field)
      throws TarFormatException {
    boolean negative = (header[offset] & 0x40) != 0;
    long value = negative ? -1 : 0;
    for (int i = 0; i < length; i++) {
      int bits =
          i == 0 ? (header[offset] & 0x3f) | (negative ? 0xc0 : 0) : header[offset + i] & 0xff;
      long lost = value >> 55;
      if (lost != 0 && lost != -1) {
        throw new TarFormatException(field + " in a tar header is out of range");
      }
      value = value << 8 | (bits & 0xff);
    }
    return value;
  }

  /**
   * Sum of all bytes of the header, the checksum itself counted as blanks; some sum signed ones.
   */
  static boolean checksumFits(byte[] header) throws TarFormatException {
    long told = number(header, 148, 8, "checksum");
    long unsigned = 0;
    long signed = 0;
    for (int i = 0; i < header.length; i++) {
      byte b = i >= 148 && i < 156 ? (byte) ' ' : header[i];
      unsigned += b & 0xff;
      signed += b;
    }
    return told == unsigned || told == signed;
  }

  /** A decimal number of PAX. */
  static long decimal(byte[] value, String key) throws TarFormatException {
    try {
      return Long.parseLong(new String(value, StandardCharsets.UTF_8));
    } catch (NumberFormatException e) {
      throw malformed(value, key);
    }
  }

  /** A time of PAX: decimal seconds with a fraction of any length, nanoseconds kept. */
  static Instant time(byte[] value, String key) throws TarFormatException {
    String text = new String(value, StandardCharsets.UTF_8);
    int dot = text.indexOf('.');
    String whole = dot < 0 ? text : text.substring(0, dot);
    String fraction = dot < 0 ? "" : text.substring(dot + 1);
    boolean negative = whole.startsWith("-");
    try {
      long seconds = whole.isEmpty() || whole.equals("-") ? 0 : Long.parseLong(whole);
      long nanos = 0;
      for (int i = 0; i < fraction.length(); i++) {
        int digit = fraction.charAt(i) - '0';
        if (digit < 0 || digit > 9) {
          throw malformed(value, key);
        }
        nanos = i < 9 ? nanos * 10 + digit : nanos;
      }
      for (int i = fraction.length(); i < 9; i++) {
        nanos *= 10;
      }
      return Instant.ofEpochSecond(seconds, negative ? -nanos : nanos);
    } catch (NumberFormatException | DateTimeException e) {
      throw malformed(value, key);
    }
  }

  private static TarFormatException malformed(byte[] value, String key) {
    return new TarFormatException(
        "malformed pax record " + key + "=" + new String(value, StandardCharsets.UTF_8));
  }
}

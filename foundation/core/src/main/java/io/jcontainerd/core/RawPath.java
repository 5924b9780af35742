package io.jcontainerd.core;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A path or a single name as the kernel knows it: bytes without NUL, in no particular encoding.
 * Ordered by unsigned bytes.
 */
public final class RawPath implements Comparable<RawPath> {
  /** The path of no bytes. */
  public static final RawPath EMPTY = new RawPath(new byte[0]);

  private static final int SHOWN = 255;

  private final byte[] bytes;

  private RawPath(byte[] bytes) {
    this.bytes = bytes;
  }

  /** The UTF-8 bytes of the text. */
  public static RawPath of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The bytes, copied.
   *
   * @throws IllegalArgumentException if there is a NUL among them
   */
  public static RawPath of(byte[] bytes) {
    for (byte b : bytes) {
      if (b == 0) {
        throw new IllegalArgumentException("a path holds a NUL byte");
      }
    }
    return new RawPath(bytes.clone());
  }

  /** The bytes, copied. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** How many bytes. */
  public int length() {
    return bytes.length;
  }

  /** The byte at the index. */
  public byte byteAt(int index) {
    return bytes[index];
  }

  /** Whether there are no bytes. */
  public boolean isEmpty() {
    return bytes.length == 0;
  }

  /** Whether the first bytes are those. */
  public boolean startsWith(RawPath prefix) {
    return bytes.length >= prefix.bytes.length
        && Arrays.equals(bytes, 0, prefix.bytes.length, prefix.bytes, 0, prefix.bytes.length);
  }

  /** What follows the first bytes. */
  public RawPath from(int start) {
    return new RawPath(Arrays.copyOfRange(bytes, start, bytes.length));
  }

  /** The bytes from start to end, end excluded. */
  public RawPath slice(int start, int end) {
    return new RawPath(Arrays.copyOfRange(bytes, start, end));
  }

  /** This, a slash and the name; the name alone if this is empty. */
  public RawPath resolve(RawPath name) {
    if (bytes.length == 0) {
      return name;
    }
    byte[] joined = Arrays.copyOf(bytes, bytes.length + 1 + name.bytes.length);
    joined[bytes.length] = '/';
    System.arraycopy(name.bytes, 0, joined, bytes.length + 1, name.bytes.length);
    return new RawPath(joined);
  }

  /** These bytes and then those. */
  public RawPath concat(RawPath more) {
    byte[] joined = Arrays.copyOf(bytes, bytes.length + more.bytes.length);
    System.arraycopy(more.bytes, 0, joined, bytes.length, more.bytes.length);
    return new RawPath(joined);
  }

  /** What follows the last slash; everything if there is none. */
  public RawPath name() {
    int slash = lastSlash();
    return slash < 0 ? this : from(slash + 1);
  }

  /** What precedes the last slash; empty if there is none. */
  public RawPath parent() {
    int slash = lastSlash();
    return slash < 0 ? EMPTY : slice(0, slash);
  }

  private int lastSlash() {
    int at = bytes.length - 1;
    while (at >= 0 && bytes[at] != '/') {
      at--;
    }
    return at;
  }

  /**
   * The path in a message: one line, cut where it is longer than anybody reads, since it may come
   * from somebody who means harm.
   */
  public String shown() {
    String text = new String(bytes, 0, Math.min(bytes.length, SHOWN), StandardCharsets.UTF_8);
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || c == 0x2028 || c == 0x2029) {
        shown.append("\\u%04x".formatted((int) c));
      } else {
        shown.append(c);
      }
    }
    return bytes.length > SHOWN ? shown.append('\u2026').toString() : shown.toString();
  }

  @Override
  public int compareTo(RawPath other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RawPath that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The bytes read as UTF-8, for people. */
  @Override
  public String toString() {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}

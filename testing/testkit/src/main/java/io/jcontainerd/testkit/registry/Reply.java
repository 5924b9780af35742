package io.jcontainerd.testkit.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;

/**
 * An answer of a {@link ScriptedRegistry}, which need not be an honest one.
 *
 * @param status of HTTP; 0 to say nothing at all
 * @param headers lines of {@code name: value}, sent as they are
 * @param body the bytes
 * @param length what {@code Content-Length} says; negative to leave it out and end with the
 *     connection
 * @param chunked whether the body comes in chunks instead
 * @param manner what becomes of the connection
 * @param after how many bytes of the body come before the manner shows
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Reply(
    int status,
    List<String> headers,
    byte[] body,
    long length,
    boolean chunked,
    Manner manner,
    int after) {
  /** What becomes of a connection. */
  public enum Manner {
    /** It is kept for the next request. */
    KEEP,
    /** It is closed as is usual. */
    CLOSE,
    /** It is reset. */
    RESET,
    /** It is kept, and nothing more comes until the server is closed. */
    STALL
  }

  /** Copies the headers. */
  public Reply {
    headers = List.copyOf(headers);
  }

  /** A status without a body. */
  public static Reply of(int status) {
    return new Reply(status, List.of(), new byte[0], 0, false, Manner.KEEP, 0);
  }

  /** No answer; the connection is closed. */
  public static Reply hangUp() {
    return of(0).manner(Manner.CLOSE, 0);
  }

  /** No answer, ever. */
  public static Reply silence() {
    return of(0).manner(Manner.STALL, 0);
  }

  /** The same with one more header. */
  public Reply header(String name, String value) {
    List<String> more = new ArrayList<>(headers);
    more.add(name + ": " + value);
    return new Reply(status, more, body, length, chunked, manner, after);
  }

  /** The same with a body and its length. */
  public Reply body(byte[] bytes) {
    return new Reply(status, headers, bytes, bytes.length, chunked, manner, bytes.length);
  }

  /** The same with a body and its length. */
  public Reply body(String text) {
    return body(text.getBytes(UTF_8));
  }

  /** The same, saying another length, or none if negative. */
  public Reply length(long said) {
    return new Reply(status, headers, body, said, chunked, manner, after);
  }

  /** The same with the body in chunks. */
  public Reply inChunks() {
    return new Reply(status, headers, body, length, true, manner, after);
  }

  /** The same with another end, after so many bytes of the body. */
  public Reply manner(Manner other, int bytes) {
    return new Reply(status, headers, body, length, chunked, other, bytes);
  }

  /** The same, closed after so many bytes of the body. */
  public Reply closingAfter(int bytes) {
    return manner(Manner.CLOSE, bytes);
  }

  /** The same, reset after so many bytes of the body. */
  public Reply resettingAfter(int bytes) {
    return manner(Manner.RESET, bytes);
  }

  /** The same, silent after so many bytes of the body. */
  public Reply stallingAfter(int bytes) {
    return manner(Manner.STALL, bytes);
  }
}

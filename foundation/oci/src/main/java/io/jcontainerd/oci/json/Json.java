package io.jcontainerd.oci.json;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A JSON value. Immutable and safe to share between threads.
 *
 * <p>Two values are equal when they say the same, whatever the order of their fields; numbers are
 * compared by their text.
 */
public sealed interface Json
    permits JsonObject, JsonArray, JsonString, JsonNumber, JsonBoolean, JsonNull {

  /**
   * Reads one document in UTF-8.
   *
   * @throws InvalidArgumentException when the bytes are not exactly one JSON value
   */
  static Json parse(byte[] bytes) {
    return JsonReader.read(bytes);
  }

  /** Reads one document; see {@link #parse(byte[])}. */
  static Json parse(String text) {
    return JsonReader.read(text);
  }

  /** A string value. */
  static JsonString of(String value) {
    return new JsonString(value);
  }

  /** A whole number. */
  static JsonNumber of(long value) {
    return new JsonNumber(Long.toString(value));
  }

  /** A truth value. */
  static JsonBoolean of(boolean value) {
    return value ? JsonBoolean.TRUE : JsonBoolean.FALSE;
  }

  /** This value as text without white space. */
  default String toText() {
    return JsonWriter.compact(this);
  }

  /** This value as text indented by two blanks, one field a line. */
  default String toPrettyText() {
    return JsonWriter.pretty(this);
  }

  /** This value as UTF-8 without white space. */
  default byte[] toBytes() {
    return toText().getBytes(StandardCharsets.UTF_8);
  }

  /** The word for this kind of value in messages: {@code object}, {@code string} and so on. */
  default String kind() {
    return switch (this) {
      case JsonObject _ -> "object";
      case JsonArray _ -> "array";
      case JsonString _ -> "string";
      case JsonNumber _ -> "number";
      case JsonBoolean _ -> "boolean";
      case JsonNull _ -> "null";
    };
  }

  /** This value when it is an object. */
  default Optional<JsonObject> asObject() {
    return this instanceof JsonObject object ? Optional.of(object) : Optional.empty();
  }

  /** This value when it is a string. */
  default Optional<String> asString() {
    return this instanceof JsonString(String value) ? Optional.of(value) : Optional.empty();
  }
}

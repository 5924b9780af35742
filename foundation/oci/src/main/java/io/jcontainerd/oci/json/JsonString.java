package io.jcontainerd.oci.json;

/**
 * A JSON string.
 *
 * @param value its text without quotes and escapes
 */
public record JsonString(String value) implements Json {
  @Override
  public String toString() {
    return toText();
  }
}

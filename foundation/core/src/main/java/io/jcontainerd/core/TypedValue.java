package io.jcontainerd.core;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A value whose meaning is told by a type url, kept and handed on byte for byte, whether or not
 * this daemon knows the type ({@code google.protobuf.Any}). Value semantics; the array is copied
 * neither in nor out and must not be changed.
 *
 * @param typeUrl the bare message name or a URL; what precedes the last slash is not looked at
 * @param value the encoded bytes
 */
@SuppressWarnings("ArrayRecordComponent") // equality is defined below
public record TypedValue(String typeUrl, byte[] value) {

  /** The type url after its last slash. */
  public String typeName() {
    return typeUrl.substring(typeUrl.lastIndexOf('/') + 1);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TypedValue that
        && typeUrl.equals(that.typeUrl)
        && Arrays.equals(value, that.value);
  }

  @Override
  public int hashCode() {
    return 31 * typeUrl.hashCode() + Arrays.hashCode(value);
  }

  @Override
  public String toString() {
    return "TypedValue[" + typeUrl + ", " + value.length + " bytes]";
  }
}

package io.jcontainerd.diff.processor;

import io.jcontainerd.core.TypedValue;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes a value as {@code google.protobuf.Any}, for programs that are given one. */
final class AnyBytes {
  /** Field 1, {@code type_url}, and field 2, {@code value}: both of a told length. */
  private static final int TYPE_URL = (1 << 3) | 2;

  private static final int VALUE = (2 << 3) | 2;

  private AnyBytes() {}

  static byte[] of(TypedValue value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    field(bytes, TYPE_URL, value.typeUrl().getBytes(StandardCharsets.UTF_8));
    field(bytes, VALUE, value.value());
    return bytes.toByteArray();
  }

  private static void field(ByteArrayOutputStream bytes, int tag, byte[] content) {
    if (content.length == 0) {
      return;
    }
    bytes.write(tag);
    int left = content.length;
    while (left >= 0x80) {
      bytes.write((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    bytes.write(left);
    bytes.writeBytes(content);
  }
}

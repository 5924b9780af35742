package io.jcontainerd.diff;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.function.Consumer;

/** An archive put together byte by byte, so that every rule can be broken. */
final class RawTar {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** Writes into the header before its checksum is made. */
  interface Edit extends Consumer<byte[]> {}

  /** A header whose name is the text's characters as bytes. */
  RawTar header(String name, char type, String link, long size, Edit edit) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 100, "0000644");
    put(header, 108, "0000000");
    put(header, 116, "0000000");
    put(header, 124, "%011o".formatted(size));
    put(header, 136, "07346545000");
    header[156] = (byte) type;
    put(header, 157, link);
    put(header, 257, "ustar");
    put(header, 263, "00");
    put(header, 329, "0000000");
    put(header, 337, "0000000");
    edit.accept(header);
    Tars.checksum(header);
    return raw(header);
  }

  RawTar header(String name, char type, String link, long size) {
    return header(name, type, link, size, _ -> {});
  }

  RawTar file(String name, String content) {
    byte[] bytes = content.getBytes(UTF_8);
    return header(name, '0', "", bytes.length).body(bytes);
  }

  RawTar folder(String name) {
    return header(name, '5', "", 0, at(100, "0000755"));
  }

  RawTar symlink(String name, String target) {
    return header(name, '2', target, 0);
  }

  RawTar hardLink(String name, String target) {
    return header(name, '1', target, 0);
  }

  /** GNU's way to a name of any length. */
  RawTar longName(String name) {
    byte[] bytes = (name + "\0").getBytes(ISO_8859_1);
    return header("././@LongLink", 'L', "", bytes.length).body(bytes);
  }

  RawTar longLink(String link) {
    byte[] bytes = (link + "\0").getBytes(ISO_8859_1);
    return header("././@LongLink", 'K', "", bytes.length).body(bytes);
  }

  /** Records of pax with right lengths; characters are bytes. */
  RawTar pax(String... records) {
    return paxBody('x', records(records));
  }

  RawTar paxBody(char type, String body) {
    byte[] bytes = body.getBytes(ISO_8859_1);
    return header("pax", type, "", bytes.length).body(bytes);
  }

  static String records(String... records) {
    StringBuilder body = new StringBuilder();
    for (String record : records) {
      int length = record.length() + 3;
      while (String.valueOf(length).length() + record.length() + 2 != length) {
        length = String.valueOf(length).length() + record.length() + 2;
      }
      body.append(length).append(' ').append(record).append('\n');
    }
    return body.toString();
  }

  /** Bytes, filled up to a whole block. */
  RawTar body(byte[] bytes) {
    out.writeBytes(bytes);
    return raw(new byte[-bytes.length & 511]);
  }

  RawTar raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  RawTar times(int count, Consumer<RawTar> part) {
    for (int i = 0; i < count; i++) {
      part.accept(this);
    }
    return this;
  }

  byte[] end() {
    return raw(new byte[1024]).open();
  }

  byte[] open() {
    return out.toByteArray();
  }

  static Edit at(int offset, String text) {
    return header -> put(header, offset, text);
  }

  static Edit number(int offset, int length, long value) {
    return header -> {
      for (int i = 0; i < length; i++) {
        int shift = 8 * (length - 1 - i);
        header[offset + i] = (byte) (shift > 63 ? value >> 63 : value >> shift);
      }
      header[offset] |= (byte) 0x80;
    };
  }

  static Edit both(Edit one, Edit other) {
    return header -> {
      one.accept(header);
      other.accept(header);
    };
  }

  static void put(byte[] header, int offset, String text) {
    byte[] bytes = text.getBytes(ISO_8859_1);
    int length = Math.min(bytes.length, 512 - offset);
    System.arraycopy(Arrays.copyOf(bytes, length), 0, header, offset, length);
  }
}

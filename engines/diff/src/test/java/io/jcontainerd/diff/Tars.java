package io.jcontainerd.diff;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Makes small archives by hand, wrong ones too. */
final class Tars {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Tars file(String name, String content) {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    header(name, '0', "", bytes.length, 0644, 0, 0);
    return bytes(bytes);
  }

  Tars folder(String name) {
    return header(name, '5', "", 0, 0755, 0, 0);
  }

  Tars folder(String name, int mode) {
    return header(name, '5', "", 0, mode, 0, 0);
  }

  Tars symlink(String name, String target) {
    return header(name, '2', target, 0, 0777, 0, 0);
  }

  Tars hardLink(String name, String target) {
    return header(name, '1', target, 0, 0644, 0, 0);
  }

  Tars whiteout(String name) {
    return file(name, "");
  }

  Tars pax(String... records) {
    return pax('x', records);
  }

  Tars pax(char type, String... records) {
    StringBuilder body = new StringBuilder();
    for (String record : records) {
      int length = record.length() + 3;
      while (String.valueOf(length).length() + record.length() + 2 != length) {
        length = String.valueOf(length).length() + record.length() + 2;
      }
      body.append(length).append(' ').append(record).append('\n');
    }
    byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
    header("pax", type, "", bytes.length, 0644, 0, 0);
    return bytes(bytes);
  }

  Tars bytes(byte[] body) {
    out.writeBytes(body);
    out.writeBytes(new byte[-body.length & 511]);
    return this;
  }

  Tars header(String name, char type, String link, long size, int mode, int uid, int gid) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 100, "%07o".formatted(mode));
    put(header, 108, "%07o".formatted(uid));
    put(header, 116, "%07o".formatted(gid));
    put(header, 124, "%011o".formatted(size));
    put(header, 136, "%011o".formatted(1_000_000_000L));
    header[156] = (byte) type;
    put(header, 157, link);
    put(header, 257, "ustar");
    put(header, 263, "00");
    put(header, 329, "0000000");
    put(header, 337, "0000000");
    checksum(header);
    out.writeBytes(header);
    return this;
  }

  /** A device whose numbers are written in base 256. */
  Tars device(String name, char type, long major, long minor) {
    header(name, type, "", 0, 0644, 0, 0);
    byte[] all = out.toByteArray();
    byte[] header = Arrays.copyOfRange(all, all.length - 512, all.length);
    binary(header, 329, major);
    binary(header, 337, minor);
    checksum(header);
    out.reset();
    out.write(all, 0, all.length - 512);
    out.writeBytes(header);
    return this;
  }

  private static void binary(byte[] header, int at, long number) {
    for (int i = 0; i < 8; i++) {
      header[at + i] = (byte) (number >>> (56 - 8 * i));
    }
    header[at] |= (byte) 0x80;
  }

  static void checksum(byte[] header) {
    put(header, 148, "        ");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, "%06o".formatted(sum));
    header[154] = 0;
    header[155] = ' ';
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  /** The archive with its end mark. */
  byte[] end() {
    out.writeBytes(new byte[1024]);
    return out.toByteArray();
  }

  /** The archive without its end mark. */
  byte[] open() {
    return out.toByteArray();
  }
}

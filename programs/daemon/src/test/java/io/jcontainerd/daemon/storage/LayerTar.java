package io.jcontainerd.daemon.storage;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes layers as tar archives, entry by entry. */
final class LayerTar {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  /** What an entry says beside its name. */
  record Look(int mode, int uid, int gid, long modified) {}

  LayerTar file(String name, byte[] body, Look look) {
    header(name, '0', "", body.length, look, 0);
    return bytes(body);
  }

  LayerTar folder(String name, Look look) {
    return header(name + "/", '5', "", 0, look, 0);
  }

  LayerTar symlink(String name, String target, Look look) {
    return header(name, '2', target, 0, look, 0);
  }

  LayerTar hardLink(String name, String target, Look look) {
    return header(name, '1', target, 0, look, 0);
  }

  LayerTar device(String name, int minor, Look look) {
    return header(name, '3', "", 0, look, minor);
  }

  LayerTar fifo(String name, Look look) {
    return header(name, '6', "", 0, look, 0);
  }

  /** An attribute of the entry that follows. */
  LayerTar attribute(String name, String value) {
    String record = "SCHILY.xattr." + name + "=" + value + "\n";
    int length = record.length() + 3;
    while (String.valueOf(length).length() + 1 + record.length() != length) {
      length = String.valueOf(length).length() + 1 + record.length();
    }
    byte[] body = (length + " " + record).getBytes(StandardCharsets.UTF_8);
    header("pax", 'x', "", body.length, new Look(0644, 0, 0, 0), 0);
    return bytes(body);
  }

  private LayerTar bytes(byte[] body) {
    out.writeBytes(body);
    out.writeBytes(new byte[-body.length & 511]);
    return this;
  }

  private LayerTar header(String name, char type, String link, long size, Look look, int minor) {
    byte[] header = new byte[512];
    put(header, 0, name);
    put(header, 100, "%07o".formatted(look.mode()));
    put(header, 108, "%07o".formatted(look.uid()));
    put(header, 116, "%07o".formatted(look.gid()));
    put(header, 124, "%011o".formatted(size));
    put(header, 136, "%011o".formatted(look.modified()));
    header[156] = (byte) type;
    put(header, 157, link);
    put(header, 257, "ustar");
    put(header, 263, "00");
    put(header, 329, "%07o".formatted(type == '3' ? 1 : 0));
    put(header, 337, "%07o".formatted(minor));
    put(header, 148, "        ");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, "%06o".formatted(sum));
    header[154] = 0;
    header[155] = ' ';
    out.writeBytes(header);
    return this;
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  byte[] end() {
    out.writeBytes(new byte[1024]);
    return out.toByteArray();
  }
}

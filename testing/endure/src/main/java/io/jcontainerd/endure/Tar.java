package io.jcontainerd.endure;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.Map;

/** Layers as archives (ustar). */
final class Tar {
  private static final int BLOCK = 512;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private Tar() {}

  static byte[] of(Map<String, Node> nodes) {
    Tar tar = new Tar();
    nodes.forEach(tar::add);
    tar.out.writeBytes(new byte[2 * BLOCK]);
    return tar.out.toByteArray();
  }

  private void add(String path, Node node) {
    byte[] bytes = node.bytes().get();
    switch (node.kind()) {
      case FILE -> header(path, node, '0', bytes.length);
      case FOLDER -> header(path + "/", node, '5', 0);
      case SYMLINK -> header(path, node, '2', 0);
      case HARDLINK -> header(path, node, '1', 0);
      case WHITEOUT -> header(beside(path, ".wh." + name(path)), node, '0', 0);
      case OPAQUE -> header(path + ".wh..wh..opq", node, '0', 0);
    }
    out.writeBytes(bytes);
    out.writeBytes(new byte[-bytes.length & (BLOCK - 1)]);
  }

  private static String name(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private static String beside(String path, String name) {
    return path.substring(0, path.lastIndexOf('/') + 1) + name;
  }

  private void header(String name, Node node, char type, int size) {
    byte[] header = new byte[BLOCK];
    put(header, 0, 100, name);
    put(header, 100, 8, "%07o".formatted(node.mode()));
    put(header, 108, 8, "%07o".formatted(node.uid()));
    put(header, 116, 8, "%07o".formatted(node.gid()));
    put(header, 124, 12, "%011o".formatted(size));
    put(header, 136, 12, "%011o".formatted(node.mtime()));
    put(header, 148, 8, "        ");
    header[156] = (byte) type;
    put(header, 157, 100, node.target());
    put(header, 257, 6, "ustar\0");
    put(header, 263, 2, "00");
    int sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    put(header, 148, 8, "%06o\0 ".formatted(sum));
    out.writeBytes(header);
  }

  private static void put(byte[] header, int at, int room, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    if (bytes.length > room) {
      throw new IllegalArgumentException(text + " has more than " + room + " bytes");
    }
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }
}

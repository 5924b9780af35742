package io.jcontainerd.bench.layers;

import io.jcontainerd.oci.tar.TarEntry;

/**
 * One entry of an archive, as far as it matters for where it goes.
 *
 * @param path without {@code ./} before and {@code /} behind it; empty for the root
 * @param type what it is
 * @param link the path that a hard link leads to, else empty
 * @param size of its bytes
 */
public record Member(String path, TarEntry.Type type, String link, long size) {
  static Member of(TarEntry entry) {
    boolean hard = entry.type() == TarEntry.Type.HARD_LINK;
    return new Member(
        path(entry.name().toString()),
        entry.type(),
        hard ? path(entry.link().toString()) : "",
        entry.size());
  }

  private static String path(String name) {
    int begin = name.startsWith("./") ? 2 : 0;
    int end = name.length();
    while (end > begin && name.charAt(end - 1) == '/') {
      end--;
    }
    String path = name.substring(begin, end);
    return path.equals(".") ? "" : path;
  }

  boolean isFolder() {
    return type == TarEntry.Type.DIRECTORY;
  }
}

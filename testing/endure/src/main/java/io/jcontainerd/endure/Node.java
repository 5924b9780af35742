package io.jcontainerd.endure;

import java.util.function.Supplier;

/**
 * A name of a layer, with all that must be found again.
 *
 * @param mtime in seconds
 * @param bytes makes what is in a file, the same each time
 * @param target of a link; empty otherwise
 */
record Node(
    Kind kind, int mode, int uid, int gid, long mtime, Supplier<byte[]> bytes, String target) {
  private static final byte[] NOTHING = {};

  /**
   * What it is. Whiteouts and opaque folders are in layers only, not in trees; the path of the
   * latter ends with a slash, since the folder has an entry of its own.
   */
  enum Kind {
    FILE,
    FOLDER,
    SYMLINK,
    HARDLINK,
    WHITEOUT,
    OPAQUE
  }

  static Node file(int mode, int uid, int gid, long mtime, Supplier<byte[]> bytes) {
    return new Node(Kind.FILE, mode, uid, gid, mtime, bytes, "");
  }

  static Node folder(int mode, int uid, int gid, long mtime) {
    return new Node(Kind.FOLDER, mode, uid, gid, mtime, () -> NOTHING, "");
  }

  static Node symlink(int uid, int gid, long mtime, String target) {
    return new Node(Kind.SYMLINK, 0777, uid, gid, mtime, () -> NOTHING, target);
  }

  static Node hardlink(String target) {
    return new Node(Kind.HARDLINK, 0644, 0, 0, 0, () -> NOTHING, target);
  }

  static Node mark(Kind kind) {
    return new Node(kind, 0644, 0, 0, 0, () -> NOTHING, "");
  }
}

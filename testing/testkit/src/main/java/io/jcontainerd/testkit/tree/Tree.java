package io.jcontainerd.testkit.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.ports.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A tree of files in words: for every path below the top its type, twelve mode bits, owner, group,
 * time of modification to the nanosecond, extended attributes, device number, link count, what it
 * is a hard link to, and a hash of its bytes. Attributes that the overlay file system keeps for
 * itself are left out.
 *
 * @param entries a description for each path
 */
public record Tree(Map<String, String> entries) {
  private static final int TYPE = 0170000;

  /** Copies the entries. */
  public Tree {
    entries = Map.copyOf(entries);
  }

  /** Reads a tree of this machine. The top itself is left out, since who mounts it may own it. */
  public static Tree read(Path top, Kernel kernel) throws IOException {
    var entries = new TreeMap<String, String>();
    var linked = new TreeMap<String, String>();
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(top)) {
      paths = walk.sorted().skip(1).toList();
    }
    for (Path path : paths) {
      String name = top.relativize(path).toString();
      entries.put(name, describe(path, name, linked, kernel));
    }
    return new Tree(entries);
  }

  private static String describe(Path path, String name, Map<String, String> linked, Kernel kernel)
      throws IOException {
    Map<String, Object> all = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
    int mode = (Integer) Objects.requireNonNull(all.get("mode"));
    int links = (Integer) Objects.requireNonNull(all.get("nlink"));
    boolean folder = (mode & TYPE) == 0040000;
    var text = new StringBuilder();
    text.append(type(mode)).append(' ').append(Integer.toOctalString(mode & 07777));
    text.append(' ').append(all.get("uid")).append(':').append(all.get("gid"));
    text.append(' ')
        .append(((FileTime) Objects.requireNonNull(all.get("lastModifiedTime"))).toInstant());
    if (type(mode).endsWith("device")) {
      text.append(" device ").append(all.get("rdev"));
    }
    if (!folder && links > 1) {
      String first = linked.putIfAbsent(all.get("dev") + ":" + all.get("ino"), name);
      text.append(" links ").append(links).append(first == null ? "" : " to " + first);
    }
    if (type(mode).equals("symlink")) {
      text.append(" to ").append(Files.readSymbolicLink(path));
    }
    if (type(mode).equals("file")) {
      text.append(" size ").append(all.get("size")).append(' ');
      text.append(Digest.sha256(Files.readAllBytes(path)).hex(), 0, 12);
    }
    for (String attribute : kernel.extendedAttributes(path).stream().sorted().toList()) {
      if (!attribute.contains("overlay.")) {
        byte[] value = kernel.extendedAttribute(path, attribute).orElse(new byte[0]);
        text.append(' ').append(attribute).append('=').append(HexFormat.of().formatHex(value));
      }
    }
    return text.toString();
  }

  private static String type(int mode) {
    return switch (mode & TYPE) {
      case 0100000 -> "file";
      case 0040000 -> "folder";
      case 0120000 -> "symlink";
      case 0020000 -> "character device";
      case 0060000 -> "block device";
      case 0010000 -> "fifo";
      case 0140000 -> "socket";
      default -> throw new AssertionError("mode " + Integer.toOctalString(mode));
    };
  }

  /** Fails unless both trees are the same in everything that is described. */
  public void assertSameAs(Tree expected) {
    assertThat(new TreeMap<>(entries)).containsExactlyInAnyOrderEntriesOf(expected.entries());
  }
}

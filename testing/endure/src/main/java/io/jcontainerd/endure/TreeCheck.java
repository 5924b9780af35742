package io.jcontainerd.endure;

import io.jcontainerd.endure.Node.Kind;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;

/** Compares folders with what should be in them, to the last byte. */
final class TreeCheck {
  private static final int PERMISSIONS = 07777;

  private TreeCheck() {}

  /** Every difference, in words; the times of folders and the modes of links are not compared. */
  static List<String> differences(Path root, SortedMap<String, Node> expected) throws IOException {
    List<String> found = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            if (!folder.equals(root)) {
              look(folder, attributes);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            look(file, attributes);
            return FileVisitResult.CONTINUE;
          }

          private void look(Path path, BasicFileAttributes attributes) throws IOException {
            String name = root.relativize(path).toString();
            seen.add(name);
            Node node = expected.get(name);
            if (node == null) {
              found.add(name + ": nobody put it there");
            } else {
              compare(path, attributes, name, node, found);
            }
          }
        });
    expected.keySet().stream()
        .filter(name -> !seen.contains(name))
        .forEach(name -> found.add(name + ": missing"));
    return found;
  }

  private static void compare(
      Path path, BasicFileAttributes is, String name, Node node, List<String> found)
      throws IOException {
    Kind kind = is.isDirectory() ? Kind.FOLDER : is.isSymbolicLink() ? Kind.SYMLINK : Kind.FILE;
    if (kind != node.kind()) {
      found.add(name + ": is a " + kind + ", not a " + node.kind());
      return;
    }
    String owner = number(path, "uid") + ":" + number(path, "gid");
    tell(found, name, "owner", owner, node.uid() + ":" + node.gid());
    if (kind != Kind.SYMLINK) {
      int mode = number(path, "mode") & PERMISSIONS;
      tell(found, name, "mode", Integer.toOctalString(mode), Integer.toOctalString(node.mode()));
    }
    if (kind != Kind.FOLDER) {
      long time = is.lastModifiedTime().to(TimeUnit.SECONDS);
      tell(found, name, "time", Long.toString(time), Long.toString(node.mtime()));
    }
    switch (kind) {
      case SYMLINK ->
          tell(found, name, "target", Files.readSymbolicLink(path).toString(), node.target());
      case FILE -> bytes(path, name, node, found);
      default -> {}
    }
  }

  private static int number(Path path, String attribute) throws IOException {
    Object value = Files.getAttribute(path, "unix:" + attribute, LinkOption.NOFOLLOW_LINKS);
    return (Integer) Objects.requireNonNull(value);
  }

  private static void bytes(Path path, String name, Node node, List<String> found)
      throws IOException {
    byte[] is = Files.readAllBytes(path);
    byte[] wanted = node.bytes().get();
    int at = Arrays.mismatch(is, wanted);
    if (at >= 0) {
      found.add(
          name
              + ": "
              + is.length
              + " bytes, not the "
              + wanted.length
              + " it had, from byte "
              + at);
    }
  }

  private static void tell(List<String> found, String name, String what, String is, String wanted) {
    if (!is.equals(wanted)) {
      found.add(name + ": " + what + " " + is + ", not " + wanted);
    }
  }
}

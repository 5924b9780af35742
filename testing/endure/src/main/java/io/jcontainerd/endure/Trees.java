package io.jcontainerd.endure;

import io.jcontainerd.endure.Node.Kind;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What layers make when they lie on each other, as the image specification says. */
final class Trees {
  private Trees() {}

  /** The tree with one more layer on it. */
  static SortedMap<String, Node> with(SortedMap<String, Node> below, Map<String, Node> layer) {
    SortedMap<String, Node> tree = new TreeMap<>(below);
    layer.forEach(
        (path, node) -> {
          if (node.kind() == Kind.WHITEOUT) {
            tree.remove(path);
          }
          if (node.kind() == Kind.WHITEOUT || node.kind() == Kind.OPAQUE) {
            String folder = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
            tree.subMap(folder + "/", folder + "0").clear(); // '0' follows '/'
          }
        });
    layer.forEach(
        (path, node) -> {
          switch (node.kind()) {
            case FILE, FOLDER, SYMLINK -> tree.put(path, node);
            case HARDLINK -> tree.put(path, layer.getOrDefault(node.target(), node));
            case WHITEOUT, OPAQUE -> {}
          }
        });
    return tree;
  }
}

package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import java.util.ArrayList;
import java.util.List;

/** Names of entries brought into one form. */
final class EntryName {
  /** PATH_MAX without its NUL: no program can open what has a longer name. */
  static final int LONGEST = 4095;

  private static final int LONGEST_COMPONENT = 255;

  private EntryName() {}

  /**
   * Refuses what no file system takes, before anything is done for it.
   *
   * @throws EntryException if the path is longer than the kernel's limits
   */
  static void checkLength(RawPath path) throws EntryException {
    if (path.length() > LONGEST) {
      throw new EntryException(
          "entry \"%s\": a path of %d bytes is too long".formatted(path.shown(), path.length()));
    }
  }

  /**
   * The components of a name, {@code .} and doubled slashes left out, {@code ..} taken together
   * with what precedes it. An absolute name counts from the tree's root.
   *
   * @throws EntryException if the name leads out of the tree or is too long
   */
  static List<RawPath> clean(RawPath name) throws EntryException {
    checkLength(name);
    List<RawPath> components = new ArrayList<>();
    for (RawPath component : split(name)) {
      if (isDotDot(component)) {
        if (components.isEmpty()) {
          throw new EntryException(
              "entry \"" + name.shown() + "\" leads out of the tree" + EntryException.REBUILD);
        }
        components.removeLast();
      } else if (component.length() > LONGEST_COMPONENT) {
        throw new EntryException(
            "entry \"%s\": \"%s\" of %d bytes is too long for a name"
                .formatted(name.shown(), component.shown(), component.length()));
      } else {
        components.add(component);
      }
    }
    return components;
  }

  /** The components of a path without empty ones and {@code .}. */
  static List<RawPath> split(RawPath path) {
    List<RawPath> components = new ArrayList<>();
    int start = 0;
    for (int i = 0; i <= path.length(); i++) {
      if (i == path.length() || path.byteAt(i) == '/') {
        boolean dot = i - start == 1 && path.byteAt(start) == '.';
        if (i > start && !dot) {
          components.add(path.slice(start, i));
        }
        start = i + 1;
      }
    }
    return components;
  }

  static boolean isDotDot(RawPath component) {
    return component.length() == 2 && component.byteAt(0) == '.' && component.byteAt(1) == '.';
  }

  static RawPath join(List<RawPath> components) {
    RawPath path = RawPath.EMPTY;
    for (RawPath component : components) {
      path = path.resolve(component);
    }
    return path;
  }
}

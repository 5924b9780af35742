package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.mount.Mount;
import io.jcontainerd.core.ports.FileStat;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An overlay that is written and read through its folders instead of through a mount (Linux
 * Documentation/filesystems/overlayfs): what hides a name is a character device 0/0, what hides all
 * that is below a folder is an attribute.
 *
 * @param upper where changes go
 * @param lowers what is below, topmost first; may be empty
 * @param userAttributes whether the overlay keeps its attributes under {@code user.}
 */
public record Overlay(Path upper, List<Path> lowers, boolean userAttributes) {
  private static final RawPath TRUSTED = RawPath.of("trusted.overlay.");
  private static final RawPath USER = RawPath.of("user.overlay.");

  /** Copies the list. */
  public Overlay {
    lowers = List.copyOf(lowers);
  }

  /** The overlay that the mounts would make, if they are one writable overlay and nothing else. */
  public static Optional<Overlay> of(List<Mount> mounts) {
    if (mounts.size() != 1
        || !mounts.getFirst().type().equals("overlay")
        || !mounts.getFirst().target().isEmpty()) {
      return Optional.empty();
    }
    Optional<Path> upper = Optional.empty();
    List<Path> lowers = new ArrayList<>();
    boolean user = false;
    for (String option : mounts.getFirst().options()) {
      if (option.startsWith("upperdir=")) {
        upper = Optional.of(Path.of(option.substring("upperdir=".length())));
      } else if (option.startsWith("lowerdir=")) {
        for (String lower : splitLowers(option.substring("lowerdir=".length()))) {
          lowers.add(Path.of(lower));
        }
      } else if (option.equals("ro")) {
        return Optional.empty();
      } else if (option.equals("userxattr")) {
        user = true;
      }
    }
    boolean userAttributes = user;
    return upper.map(path -> new Overlay(path, lowers, userAttributes));
  }

  private static List<String> splitLowers(String text) {
    List<String> lowers = new ArrayList<>();
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && i + 1 < text.length()) {
        i++;
        name.append(text.charAt(i));
      } else if (c == ':') {
        lowers.add(name.toString());
        name.setLength(0);
      } else {
        name.append(c);
      }
    }
    lowers.add(name.toString());
    return lowers;
  }

  /** The attribute that hides what is below a folder. */
  public RawPath opaqueAttribute() {
    return RawPath.of(userAttributes ? "user.overlay.opaque" : "trusted.overlay.opaque");
  }

  /** Whether the attribute is the overlay's own, which no layer may bring along. */
  public static boolean isReserved(RawPath attribute) {
    return attribute.startsWith(TRUSTED) || attribute.startsWith(USER);
  }

  /** Whether it hides the name that it has. */
  public static boolean isWhiteout(FileStat stat) {
    return stat.type() == FileStat.Type.CHARACTER_DEVICE && stat.rdev() == 0;
  }
}

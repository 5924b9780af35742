package io.jcontainerd.mounts;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Text in which earlier mounts are named by number: {@code {{ source 0 }}}, {@code {{ target 0 }}}
 * and {@code {{ mount 0 }}}, which is where it can be found, and {@code {{ overlay 0 2 }}}, which
 * is where those from the one to the other can be found, in that order, for an overlay's layers.
 */
final class Template {
  private static final Pattern ACTION =
      Pattern.compile("\\{\\{-?\\s*([a-z]+)\\s+([0-9]{1,9})(?:\\s+([0-9]{1,9}))?\\s*-?}}");

  private Template() {}

  /** The mount with everything filled in. */
  static Mount fill(Mount mount, List<ActiveMount> earlier) {
    return new Mount(
        mount.type(),
        fill(mount.source(), earlier),
        fill(mount.target(), earlier),
        mount.options().stream().map(option -> fill(option, earlier)).toList());
  }

  /**
   * The text with everything filled in.
   *
   * @throws InvalidArgumentException if it asks for what there is not
   */
  static String fill(String text, List<ActiveMount> earlier) {
    var filled = new StringBuilder();
    int at = 0;
    int open = text.indexOf("{{");
    while (open >= 0) {
      Matcher action = ACTION.matcher(text);
      if (!action.find(open) || action.start() != open) {
        throw new InvalidArgumentException("template \"" + text + "\": not understood");
      }
      filled.append(text, at, open).append(value(text, action, earlier));
      at = action.end();
      open = text.indexOf("{{", at);
    }
    return filled.append(text, at, text.length()).toString();
  }

  private static String value(String text, Matcher action, List<ActiveMount> earlier) {
    int first = Integer.parseInt(action.group(2));
    String second = action.group(3);
    if (action.group(1).equals("overlay")) {
      if (second == null) {
        throw new InvalidArgumentException("template \"" + text + "\": overlay wants two numbers");
      }
      return overlay(text, first, Integer.parseInt(second), earlier);
    }
    if (second != null) {
      throw new InvalidArgumentException("template \"" + text + "\": one number too many");
    }
    ActiveMount one = earlier(text, first, earlier);
    return switch (action.group(1)) {
      case "source" -> one.mount().source();
      case "target" -> one.mount().target();
      case "mount" -> one.mountPoint();
      default ->
          throw new InvalidArgumentException(
              "template \"" + text + "\": function \"" + action.group(1) + "\" is not known");
    };
  }

  private static ActiveMount earlier(String text, int index, List<ActiveMount> earlier) {
    if (index >= earlier.size()) {
      throw new InvalidArgumentException(
          "template \"%s\": index %d, but there are %d earlier mounts"
              .formatted(text, index, earlier.size()));
    }
    return earlier.get(index);
  }

  private static String overlay(String text, int from, int to, List<ActiveMount> earlier) {
    ActiveMount _ = earlier(text, Math.max(from, to), earlier);
    int step = from <= to ? 1 : -1;
    return IntStream.rangeClosed(0, Math.abs(to - from))
        .mapToObj(i -> earlier.get(from + i * step).mountPoint())
        .collect(Collectors.joining(":"));
  }
}

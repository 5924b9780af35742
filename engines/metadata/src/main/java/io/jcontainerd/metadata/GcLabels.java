package io.jcontainerd.metadata;

import io.jcontainerd.core.words.Durations;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The labels that tell the garbage collector what refers to what (containerd's
 * docs/garbage-collection.md).
 */
final class GcLabels {
  static final String PREFIX = "containerd.io/gc.";
  static final String EXPIRE = PREFIX + "expire";
  static final String FLAT = PREFIX + "flat";
  private static final String ROOT = PREFIX + "root";
  private static final String REF = PREFIX + "ref.";
  private static final String BACK_REF = PREFIX + "bref.";
  private static final String CONDITION = PREFIX + "cond.snapshot";
  private static final String USED_AT = PREFIX + "cond.value-usedat";
  private static final Pattern RFC_3339 =
      Pattern.compile(
          "([0-9]{4}-[0-9]{2}-[0-9]{2}T)([0-9]{1,2})(:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]+))?"
              + "(Z|[+-][0-9]{2}:[0-9]{2})");
  private static final int NANO_DIGITS = 9;

  private GcLabels() {}

  /** A snapshot that keeps the labelled thing while it was used as the test says. */
  record Condition(GcNode snapshot, boolean sooner, Duration than) {
    boolean holds(Instant usedAt, Instant now) {
      int compared = Duration.between(usedAt, now).compareTo(than);
      return sooner ? compared < 0 : compared > 0;
    }

    /** When one that holds will hold no more. */
    Optional<Instant> ends(Instant usedAt) {
      return sooner ? Optional.of(usedAt.plus(than)) : Optional.empty();
    }
  }

  /** Whether a label of this key keeps a snapshot. */
  static boolean refersToSnapshot(String key) {
    return key.startsWith(REF + "snapshot.");
  }

  /** Whether a label makes a root: any whose key begins so, as with containerd since 2.0. */
  static boolean isRoot(Map<String, String> labels) {
    return labels.keySet().stream().anyMatch(key -> key.startsWith(ROOT));
  }

  /** The time of expiry, if one was given and is a time. */
  static Optional<Instant> expiry(Map<String, String> labels) {
    return Optional.ofNullable(labels.get(EXPIRE)).flatMap(GcLabels::time);
  }

  static Optional<Instant> usedAt(Map<String, String> labels) {
    return Optional.ofNullable(labels.get(USED_AT)).flatMap(GcLabels::time);
  }

  /**
   * RFC 3339 as Go reads it, which takes an hour of one digit, a comma before the fraction, and any
   * number of digits behind it; anything else is as good as nothing.
   */
  private static Optional<Instant> time(String text) {
    Matcher parts = RFC_3339.matcher(text);
    if (!parts.matches()) {
      return Optional.empty();
    }
    String hour = parts.group(2).length() == 1 ? "0" + parts.group(2) : parts.group(2);
    String fraction = parts.group(4) == null ? "0" : parts.group(4);
    String nanos = fraction.substring(0, Math.min(fraction.length(), NANO_DIGITS));
    try {
      return Optional.of(
          OffsetDateTime.parse(
                  parts.group(1) + hour + parts.group(3) + "." + nanos + parts.group(5))
              .toInstant());
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /** What the labelled thing refers to. */
  static List<GcNode> references(String namespace, Map<String, String> labels) {
    return targets(namespace, labels, REF);
  }

  /** What refers to the labelled thing. */
  static List<GcNode> backReferences(String namespace, Map<String, String> labels) {
    return targets(namespace, labels, BACK_REF);
  }

  private static List<GcNode> targets(String namespace, Map<String, String> labels, String prefix) {
    List<GcNode> targets = new ArrayList<>();
    labels.forEach(
        (key, value) -> {
          if (key.startsWith(prefix)) {
            target(namespace, key.substring(prefix.length()), value, prefix.equals(BACK_REF))
                .ifPresent(targets::add);
          }
        });
    return targets;
  }

  private static Optional<GcNode> target(
      String namespace, String kind, String value, boolean back) {
    if (kind.startsWith("snapshot.")) {
      String snapshotter = beforeSlash(kind.substring("snapshot.".length()));
      return Optional.of(GcNode.snapshot(namespace, snapshotter, value));
    }
    if (names(kind, "content")) {
      return Optional.of(new GcNode(GcNode.Kind.CONTENT, namespace, value));
    }
    if (names(kind, "image")) {
      return Optional.of(new GcNode(GcNode.Kind.IMAGE, namespace, value));
    }
    if (!back && names(kind, "mount")) {
      return Optional.of(new GcNode(GcNode.Kind.MOUNT, namespace, value));
    }
    if (back && names(kind, "container")) {
      return Optional.of(new GcNode(GcNode.Kind.CONTAINER, namespace, value));
    }
    return Optional.empty();
  }

  /** Whether the text is the word, alone or with a name after a dot or slash. */
  private static boolean names(String text, String word) {
    if (!text.startsWith(word)) {
      return false;
    }
    return text.length() == word.length()
        || text.charAt(word.length()) == '.'
        || text.charAt(word.length()) == '/';
  }

  private static String beforeSlash(String text) {
    int slash = text.indexOf('/');
    return slash < 0 ? text : text.substring(0, slash);
  }

  /** The conditions under which snapshots refer to the labelled thing; one is enough. */
  static List<Condition> conditions(String namespace, Map<String, String> labels) {
    List<Condition> conditions = new ArrayList<>();
    labels.forEach(
        (key, value) -> {
          int bar = value.indexOf('|');
          if (!key.startsWith(CONDITION) || bar < 0) {
            return;
          }
          String snapshotter = key.substring(CONDITION.length());
          while (snapshotter.startsWith(".") || snapshotter.startsWith("/")) {
            snapshotter = snapshotter.substring(1);
          }
          GcNode snapshot =
              GcNode.snapshot(namespace, beforeSlash(snapshotter), value.substring(bar + 1));
          for (String term : value.substring(0, bar).split(",", -1)) {
            condition(snapshot, term).ifPresent(conditions::add);
          }
        });
    return conditions;
  }

  private static Optional<Condition> condition(GcNode snapshot, String term) {
    String name = "usedat";
    if (!term.startsWith(name) || term.length() == name.length()) {
      return Optional.empty();
    }
    char operator = term.charAt(name.length());
    if (operator != '<' && operator != '>') {
      return Optional.empty();
    }
    // a condition that cannot be read never holds
    return Durations.parse(term.substring(name.length() + 1))
        .map(than -> new Condition(snapshot, operator == '<', than));
  }
}

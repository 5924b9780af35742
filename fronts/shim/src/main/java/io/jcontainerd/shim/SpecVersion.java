package io.jcontainerd.shim;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version of the runtime specification.
 *
 * @param major first number
 * @param minor second number
 * @param patch third number
 * @param preview what follows a hyphen, such as {@code dev} or {@code rc.1}; empty for a release
 */
record SpecVersion(int major, int minor, int patch, String preview)
    implements Comparable<SpecVersion> {
  /** Older than any other: what every runtime accepts. */
  static final SpecVersion FIRST = new SpecVersion(1, 0, 0, "");

  private static final Pattern FORM =
      Pattern.compile(
          "v?(\\d{1,6})\\.(\\d{1,6})(?:\\.(\\d{1,6}))?(?:-([0-9A-Za-z.+-]+))?(?:\\+.*)?");

  /** Reads one. */
  static SpecVersion parse(String text) {
    Matcher matcher = FORM.matcher(text.strip());
    if (!matcher.matches()) {
      throw new InvalidArgumentException("oci version " + text);
    }
    return new SpecVersion(
        Integer.parseInt(matcher.group(1)),
        Integer.parseInt(matcher.group(2)),
        matcher.group(3) == null ? 0 : Integer.parseInt(matcher.group(3)),
        matcher.group(4) == null ? "" : matcher.group(4));
  }

  @Override
  public int compareTo(SpecVersion other) {
    int order = Integer.compare(major, other.major);
    if (order == 0) {
      order = Integer.compare(minor, other.minor);
    }
    if (order == 0) {
      order = Integer.compare(patch, other.patch);
    }
    if (order == 0) {
      // a preview comes before its release
      order = Boolean.compare(preview.isEmpty(), other.preview.isEmpty());
    }
    return order == 0 ? preview.compareTo(other.preview) : order;
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + patch + (preview.isEmpty() ? "" : "-" + preview);
  }
}

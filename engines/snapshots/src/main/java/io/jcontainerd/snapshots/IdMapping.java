package io.jcontainerd.snapshots;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Labels that say under which owners a container sees a snapshot's files. */
final class IdMapping {
  static final String UID_LABEL = "containerd.io/snapshot/uidmapping";
  static final String GID_LABEL = "containerd.io/snapshot/gidmapping";

  private static final Pattern RANGE = Pattern.compile("([0-9]{1,10}):([0-9]{1,10}):([0-9]{1,10})");
  private static final long MAX_ID = 0xffff_ffffL;

  private IdMapping() {}

  /** The host's id of the container's id 0, if the label is there. */
  static Optional<Integer> rootId(Map<String, String> labels, String label) {
    String value = labels.get(label);
    if (value == null) {
      return Optional.empty();
    }
    Optional<Integer> root = Optional.empty();
    for (String range : value.split(",", -1)) {
      Matcher matcher = RANGE.matcher(range);
      if (!matcher.matches()) {
        throw malformed(label, value, "wants CONTAINER:HOST:SIZE, comma separated");
      }
      long container = Long.parseLong(matcher.group(1));
      long host = Long.parseLong(matcher.group(2));
      long size = Long.parseLong(matcher.group(3));
      if (size == 0 || container + size > MAX_ID || host + size > MAX_ID) {
        throw malformed(label, value, "is out of range");
      }
      if (container == 0) {
        root = Optional.of((int) host);
      }
    }
    if (root.isEmpty()) {
      throw malformed(label, value, "does not map id 0");
    }
    return root;
  }

  private static InvalidArgumentException malformed(String label, String value, String why) {
    return new InvalidArgumentException("label %s \"%s\" %s".formatted(label, value, why));
  }
}

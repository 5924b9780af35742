package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.ErrnoException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Which extended attributes belong to a tree; others are the machine's, such as SELinux labels. */
final class Carried {
  private static final List<RawPath> PREFIXES =
      List.of(
          RawPath.of("user."),
          RawPath.of("trusted."),
          RawPath.of("security.capability"),
          RawPath.of("system.posix_acl_"));

  private Carried() {}

  static boolean is(RawPath attribute) {
    return PREFIXES.stream().anyMatch(attribute::startsWith);
  }

  /** The attributes of a name; of the folder itself if it is empty. */
  static Map<RawPath, byte[]> read(Directory folder, RawPath name) throws ErrnoException {
    Map<RawPath, byte[]> attributes = new TreeMap<>();
    for (RawPath attribute : folder.attributes(name)) {
      if (is(attribute)) {
        Optional<byte[]> value = folder.attribute(name, attribute);
        value.ifPresent(bytes -> attributes.put(attribute, bytes));
      }
    }
    return attributes;
  }
}

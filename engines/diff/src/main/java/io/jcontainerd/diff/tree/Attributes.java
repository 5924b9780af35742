package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.linux.Directory;
import io.jcontainerd.linux.ErrnoException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which extended attributes a layer carries that is made here; others belong to the machine, such
 * as SELinux labels. A layer from elsewhere may bring those, too.
 */
final class Attributes {
  private static final List<RawPath> CARRIED =
      List.of(
          RawPath.of("user."),
          RawPath.of("trusted."),
          RawPath.of("security.capability"),
          RawPath.of("system.posix_acl_"));

  private static final RawPath SECURITY = RawPath.of("security.");

  private Attributes() {}

  static boolean isCarried(RawPath attribute) {
    return CARRIED.stream().anyMatch(attribute::startsWith) && !Overlay.isReserved(attribute);
  }

  /** Whether an attribute that a layer brings is set. */
  static boolean isTaken(RawPath attribute) {
    return (isCarried(attribute) || attribute.startsWith(SECURITY))
        && !Overlay.isReserved(attribute);
  }

  /** The attributes of a name that a layer carries; of the folder itself if it is empty. */
  static Map<RawPath, byte[]> read(Directory folder, RawPath name) throws ErrnoException {
    Map<RawPath, byte[]> attributes = new TreeMap<>();
    for (RawPath attribute : folder.attributes(name)) {
      if (isCarried(attribute)) {
        Optional<byte[]> value = folder.attribute(name, attribute);
        value.ifPresent(bytes -> attributes.put(attribute, bytes));
      }
    }
    return attributes;
  }
}

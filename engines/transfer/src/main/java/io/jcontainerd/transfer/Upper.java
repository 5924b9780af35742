package io.jcontainerd.transfer;

import io.jcontainerd.core.mount.Mount;
import java.util.List;

/**
 * A layer unpacked beside what will be below it: what it hides must stay hidden, so it goes into
 * the upper folder of an overlay that has no lower ones yet.
 */
final class Upper {
  private Upper() {}

  /** The mounts of a snapshot without a parent, as those of one that will get a parent. */
  static List<Mount> of(List<Mount> mounts) {
    boolean alone =
        mounts.size() == 1
            && mounts.getFirst().type().equals("bind")
            && mounts.getFirst().target().isEmpty()
            && !mounts.getFirst().options().contains("ro");
    return alone
        ? List.of(
            new Mount("overlay", "overlay", List.of("upperdir=" + mounts.getFirst().source())))
        : mounts;
  }
}

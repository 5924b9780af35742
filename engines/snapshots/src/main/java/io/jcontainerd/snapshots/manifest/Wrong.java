package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.check.Damage;
import io.jcontainerd.core.check.TreeDamage;
import org.jspecify.annotations.Nullable;

/**
 * A name in a tree that is not as it should be.
 *
 * @param path from the top
 * @param damage what is wrong
 * @param detail expected and found
 * @param expected what it should be; null for what should not be there
 * @param original for a broken hard link, the path of the file's first name; else empty
 * @param below whether a folder above it is missing, which was told already
 */
record Wrong(
    RawPath path,
    Damage damage,
    String detail,
    @Nullable Entry expected,
    RawPath original,
    boolean below) {

  TreeDamage told() {
    return new TreeDamage(path.toString(), damage, detail);
  }
}

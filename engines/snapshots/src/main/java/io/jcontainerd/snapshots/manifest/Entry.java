package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.core.ports.FileStat;
import java.time.Instant;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A name in a tree and what it should be.
 *
 * @param depth how many folders below the top
 * @param name within its folder; empty for the top
 * @param first of a further name of a file: the number of the entry with its first; else empty and
 *     the rest counts
 * @param type the kind of file
 * @param mode the twelve permission bits
 * @param uid owner
 * @param gid group
 * @param modified when it was last changed
 * @param size of a regular file
 * @param linked whether a regular file had further names
 * @param sum of a regular file's bytes, if it is known
 * @param target of a symbolic link; empty for others
 * @param device of a device
 * @param attributes extended ones that belong to the tree
 */
record Entry(
    int depth,
    RawPath name,
    OptionalLong first,
    FileStat.Type type,
    int mode,
    int uid,
    int gid,
    Instant modified,
    long size,
    boolean linked,
    OptionalLong sum,
    RawPath target,
    long device,
    Map<RawPath, byte[]> attributes) {

  /** A further name of a file. */
  static Entry further(int depth, RawPath name, long first) {
    return new Entry(
        depth,
        name,
        OptionalLong.of(first),
        FileStat.Type.REGULAR,
        0,
        0,
        0,
        Instant.EPOCH,
        0,
        true,
        OptionalLong.empty(),
        RawPath.EMPTY,
        0,
        Map.of());
  }

  boolean isDirectory() {
    return first.isEmpty() && type == FileStat.Type.DIRECTORY;
  }
}

package io.jcontainerd.oci.tar;

import io.jcontainerd.core.RawPath;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a tar archive says of one file, whatever headers said it.
 *
 * @param type the kind of file
 * @param name as in the archive, bytes of no particular encoding
 * @param link target of a link; empty for others
 * @param mode the twelve permission bits
 * @param uid owner
 * @param gid group
 * @param size bytes of the file, holes included; 0 for all but regular files
 * @param modified when its bytes last changed
 * @param accessed when it was last read, where the archive tells
 * @param deviceMajor of a device
 * @param deviceMinor of a device
 * @param attributes extended attributes by name
 * @param segments where the archive's bytes belong in a file with holes; empty for a file without
 */
public record TarEntry(
    Type type,
    RawPath name,
    RawPath link,
    int mode,
    int uid,
    int gid,
    long size,
    Instant modified,
    Optional<Instant> accessed,
    long deviceMajor,
    long deviceMinor,
    Map<RawPath, byte[]> attributes,
    Optional<List<Segment>> segments) {

  /** Kinds of entries that name a file. */
  public enum Type {
    REGULAR,
    HARD_LINK,
    SYMLINK,
    CHARACTER_DEVICE,
    BLOCK_DEVICE,
    DIRECTORY,
    FIFO
  }

  /**
   * A run of bytes between holes.
   *
   * @param offset in the file
   * @param length in bytes
   */
  public record Segment(long offset, long length) {}

  /** Copies the attributes. */
  public TarEntry {
    attributes = Map.copyOf(attributes);
  }
}

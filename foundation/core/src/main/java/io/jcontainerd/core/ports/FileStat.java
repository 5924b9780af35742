package io.jcontainerd.core.ports;

import java.time.Instant;

/**
 * What {@code lstat(2)} tells.
 *
 * @param type the kind of file
 * @param mode the twelve permission bits
 * @param uid its owner
 * @param gid its group
 * @param size in bytes
 * @param blocks allocated, of 512 bytes
 * @param links names that it has
 * @param inode its number
 * @param device the number of its file system
 * @param rdev the number of the device that it is; 0 for others
 * @param modified when its bytes last changed, to the nanosecond
 * @param changed when its inode last changed
 */
public record FileStat(
    Type type,
    int mode,
    int uid,
    int gid,
    long size,
    long blocks,
    long links,
    long inode,
    long device,
    long rdev,
    Instant modified,
    Instant changed) {

  /** Kinds of files. */
  public enum Type {
    REGULAR,
    DIRECTORY,
    SYMLINK,
    CHARACTER_DEVICE,
    BLOCK_DEVICE,
    FIFO,
    SOCKET
  }

  /** Whether it is a folder. */
  public boolean isDirectory() {
    return type == Type.DIRECTORY;
  }
}

package io.jcontainerd.core.ports;

import java.nio.file.FileSystemException;

/** The disk, the quota or the table of inodes is full. */
public final class NoSpaceException extends FileSystemException {
  private static final long serialVersionUID = 1L;

  /**
   * @param file what was written
   */
  public NoSpaceException(String file) {
    super(file, null, "no space left on device");
  }
}

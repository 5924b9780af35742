package io.jcontainerd.core.ports;

import java.nio.file.FileSystemException;

/** The disk, the quota or the table of inodes is full. */
public final class NoSpaceException extends FileSystemException {
  /** What helps, in the words of every failure that tells of it. */
  public static final String REMEDY = "free some space";

  private static final long serialVersionUID = 1L;
  private static final String TEXT = "no space left on device: " + REMEDY;

  /**
   * @param file what was written
   */
  public NoSpaceException(String file) {
    super(file, null, TEXT + " on the disk of " + file);
  }

  /** Names the file once; the reason alone names it too. */
  @Override
  public String getMessage() {
    return getFile() + ": " + TEXT;
  }
}

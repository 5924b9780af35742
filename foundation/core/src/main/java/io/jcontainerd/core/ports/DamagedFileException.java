package io.jcontainerd.core.ports;

import java.nio.file.FileSystemException;

/**
 * The disk cannot give back what was written to it. Trying again does not help, and the file is as
 * good as lost; whatever else keeps a file from being read says nothing about its bytes.
 */
public final class DamagedFileException extends FileSystemException {
  private static final long serialVersionUID = 1L;

  /**
   * @param file what was read or written
   * @param reason in words
   */
  public DamagedFileException(String file, String reason) {
    super(file, null, reason);
  }
}

package io.jcontainerd.oci.tar;

import java.io.IOException;

/** A stream that is no tar archive, or breaks off in the middle of one. */
public final class TarFormatException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong and, where known, with which entry
   */
  public TarFormatException(String message) {
    super(message);
  }
}

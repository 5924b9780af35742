package io.jcontainerd.diff.stream;

import java.io.IOException;

/** Compressed bytes that are damaged or break off. */
public final class CorruptStreamException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message what is wrong
   */
  public CorruptStreamException(String message) {
    super(message);
  }

  /**
   * @param message what is wrong
   * @param cause what the decoder said
   */
  public CorruptStreamException(String message, Throwable cause) {
    super(message, cause);
  }
}

package io.jcontainerd.diff.tree;

import java.io.IOException;

/** A layer depends on what is below it, which cannot be seen. */
public final class MissingBelowException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * @param message says what would have to be known
   */
  public MissingBelowException(String message) {
    super(message);
  }
}

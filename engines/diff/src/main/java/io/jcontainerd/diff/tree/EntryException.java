package io.jcontainerd.diff.tree;

import java.io.IOException;

/** An entry that must not be, or cannot be, put into the tree for what it asks. */
public final class EntryException extends IOException {
  /** What to do about an entry that no image has need of, and that may be made to do harm. */
  static final String REBUILD = ": build the image anew without it, or do not use the image";

  private static final long serialVersionUID = 1L;

  /**
   * @param message names the entry and says what is wrong with it
   */
  public EntryException(String message) {
    super(message);
  }
}

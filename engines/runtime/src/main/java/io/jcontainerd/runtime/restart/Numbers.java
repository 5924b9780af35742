package io.jcontainerd.runtime.restart;

import io.jcontainerd.core.failure.InvalidArgumentException;

/** Numbers in labels. */
final class Numbers {
  private Numbers() {}

  /**
   * A number that is not negative.
   *
   * @param whole what the failure shows
   */
  static int natural(String digits, String whole) {
    try {
      int number = Integer.parseInt(digits);
      if (number >= 0) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new InvalidArgumentException("\"" + whole + "\" has no number", e);
    }
    throw new InvalidArgumentException("\"" + whole + "\" is negative");
  }
}

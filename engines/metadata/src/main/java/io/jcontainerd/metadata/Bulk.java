package io.jcontainerd.metadata;

import java.util.Collections;
import java.util.List;

/** Statements for many rows at once, which take a fraction of the time of as many for one each. */
final class Bulk {
  /** The rows of one statement: always as many, so that the statement is the same each time. */
  static final int SIZE = 32;

  private static final String PLACES = String.join(", ", Collections.nCopies(SIZE, "?"));
  private static final String ROWS = String.join(", ", Collections.nCopies(SIZE, "(?)"));

  /** A list for {@code IN}. */
  static final String LIST = "(" + PLACES + ")";

  /** A table with one column, {@code column1}. */
  static final String TABLE = "(VALUES " + ROWS + ")";

  private Bulk() {}

  /** Arguments for one place each, {@link #SIZE} of them. */
  static Object[] arguments(List<?> values) {
    if (values.size() != SIZE) {
      throw new IllegalArgumentException(values.size() + " values for " + SIZE + " places");
    }
    return values.toArray();
  }
}

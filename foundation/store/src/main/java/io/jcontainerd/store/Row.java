package io.jcontainerd.store;

import org.jspecify.annotations.Nullable;

/** One row of a result; columns count from 0. Valid only while it is being shown. */
public interface Row {
  /** The text of a column that is never null. */
  String text(int column);

  /** The text of a column, null if it has none. */
  @Nullable String textOrNull(int column);

  /** The number in a column; 0 for null. */
  long number(int column);

  /** The bytes of a column that is never null. */
  byte[] bytes(int column);

  /** The bytes of a column, null if it has none. */
  byte @Nullable [] bytesOrNull(int column);

  /** Whether the column has no value. */
  boolean isNull(int column);

  /** Makes a value of a row. */
  @FunctionalInterface
  interface Mapper<T extends @Nullable Object> {
    /** The value. */
    T map(Row row);
  }
}

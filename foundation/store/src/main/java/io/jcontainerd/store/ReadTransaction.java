package io.jcontainerd.store;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A look at the store as it was at one moment. Arguments are {@link String}, {@link Long}, {@link
 * Integer}, {@code byte[]} or null. Only for the body that got it, and not after it.
 */
public interface ReadTransaction {
  /** Every row. */
  <T> List<T> all(String sql, Row.Mapper<T> mapper, @Nullable Object... arguments);

  /** The first row, if there is one. */
  <T> Optional<T> first(String sql, Row.Mapper<T> mapper, @Nullable Object... arguments);

  /** Shows every row without keeping them. No other statement may run meanwhile. */
  void each(String sql, Consumer<Row> each, @Nullable Object... arguments);

  /** Whether there is a row. */
  default boolean exists(String sql, @Nullable Object... arguments) {
    return first(sql, _ -> true, arguments).isPresent();
  }

  /** The number in the first row's first column; 0 if there is none. */
  default long number(String sql, @Nullable Object... arguments) {
    return first(sql, row -> row.number(0), arguments).orElse(0L);
  }
}

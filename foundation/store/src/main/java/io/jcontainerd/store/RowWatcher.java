package io.jcontainerd.store;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Is shown rows that a change inserts or updates.
 *
 * <p>It is called on the writer's thread, inside the change and before it is durable. What it is
 * shown may come to nothing, and may be shown again. It must be quick, must not throw and must not
 * use the store.
 */
@FunctionalInterface
public interface RowWatcher {
  /**
   * A row was inserted or updated.
   *
   * @param values of the watched columns as they are now, as text
   */
  void changed(List<@Nullable String> values);
}

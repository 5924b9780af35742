package io.jcontainerd.store;

import org.jspecify.annotations.Nullable;

/** A change of the store, seen by others only when it is whole and durable. */
public interface WriteTransaction extends ReadTransaction {
  /**
   * Runs an {@code INSERT}, {@code UPDATE} or {@code DELETE}.
   *
   * @return how many rows it touched
   */
  int update(String sql, @Nullable Object... arguments);

  /**
   * Records an event of this change. It is told to the subscribers once the change is durable, and
   * never if it is not.
   *
   * @param at nanoseconds since 1970
   * @return its number
   */
  long event(long at, String namespace, String topic, String type, byte[] payload);
}

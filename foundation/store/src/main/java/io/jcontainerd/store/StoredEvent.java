package io.jcontainerd.store;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A recorded event.
 *
 * @param number counts from 1 without gaps
 * @param at nanoseconds since 1970
 * @param namespace where
 * @param topic what, as a path
 * @param type of the payload
 * @param payload not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // equality is defined below
public record StoredEvent(
    long number, long at, String namespace, String topic, String type, byte[] payload) {

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof StoredEvent that
        && number == that.number
        && at == that.at
        && namespace.equals(that.namespace)
        && topic.equals(that.topic)
        && type.equals(that.type)
        && Arrays.equals(payload, that.payload);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(number);
  }

  @Override
  public String toString() {
    return "event " + number + " " + namespace + " " + topic;
  }
}

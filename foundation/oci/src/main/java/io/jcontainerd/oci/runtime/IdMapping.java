package io.jcontainerd.oci.runtime;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;

/**
 * A range of user or group ids of a user namespace and where it lies outside of it.
 *
 * @param containerId the first id inside
 * @param hostId the first id outside
 * @param size how many ids
 */
public record IdMapping(long containerId, long hostId, long size) {
  private static final long IDS = 1L << 32;

  /** Refuses ranges that are empty or leave 32 bits. */
  public IdMapping {
    if (containerId < 0
        || hostId < 0
        || size < 1
        || containerId + size > IDS
        || hostId + size > IDS) {
      throw new InvalidArgumentException(
          "not an id mapping: " + containerId + ":" + hostId + ":" + size);
    }
  }

  /** Reads {@code container:host:size}. */
  public static IdMapping parse(String text) {
    String[] parts = text.split(":", -1);
    try {
      if (parts.length == 3) {
        return new IdMapping(
            Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
      }
    } catch (NumberFormatException e) {
      throw new InvalidArgumentException("not an id mapping: " + text, e);
    }
    throw new InvalidArgumentException("not an id mapping: " + text);
  }

  static IdMapping of(JsonObject json) {
    return new IdMapping(
        json.integer("containerID").orElse(0),
        json.integer("hostID").orElse(0),
        json.integer("size").orElse(0));
  }

  JsonObject json() {
    return JsonObject.EMPTY
        .with("containerID", containerId)
        .with("hostID", hostId)
        .with("size", size);
  }

  /** {@code container:host:size}, as in the labels of snapshots. */
  @Override
  public String toString() {
    return containerId + ":" + hostId + ":" + size;
  }
}

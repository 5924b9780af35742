package io.jcontainerd.oci.runtime;

import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonNumber;
import io.jcontainerd.oci.json.JsonObject;
import java.util.List;

/**
 * Whom the container's process runs as, in ids of its user namespace.
 *
 * @param uid the user id
 * @param gid the group id
 * @param additionalGids further groups
 */
public record SpecUser(long uid, long gid, List<Long> additionalGids) {
  /** User and group 0. */
  public static final SpecUser ROOT = new SpecUser(0, 0, List.of());

  /** Copies the groups. */
  public SpecUser {
    additionalGids = List.copyOf(additionalGids);
  }

  static SpecUser of(JsonObject json) {
    return new SpecUser(
        json.integer("uid").orElse(0),
        json.integer("gid").orElse(0),
        json.array("additionalGids").map(JsonArray::values).orElse(List.of()).stream()
            .filter(JsonNumber.class::isInstance)
            .map(n -> ((JsonNumber) n).longValue())
            .toList());
  }

  JsonObject into(JsonObject json) {
    JsonObject result = json.with("uid", uid).with("gid", gid);
    return additionalGids.isEmpty()
        ? result.without("additionalGids")
        : result.with("additionalGids", JsonArray.of(additionalGids, Json::of));
  }
}

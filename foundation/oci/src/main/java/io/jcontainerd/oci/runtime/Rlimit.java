package io.jcontainerd.oci.runtime;

import io.jcontainerd.oci.json.JsonNumber;
import io.jcontainerd.oci.json.JsonObject;

/**
 * One entry of {@code process.rlimits}.
 *
 * @param type such as {@code RLIMIT_NOFILE}
 * @param soft the limit in force, an unsigned 64-bit number; all ones is no limit
 * @param hard up to where the process may raise it, likewise
 */
public record Rlimit(String type, long soft, long hard) {
  static Rlimit of(JsonObject json) {
    return new Rlimit(
        json.string("type").orElse(""), unsigned(json, "soft"), unsigned(json, "hard"));
  }

  private static long unsigned(JsonObject json, String name) {
    return json.number(name).map(n -> Long.parseUnsignedLong(n.text())).orElse(0L);
  }

  JsonObject json() {
    return JsonObject.EMPTY
        .with("type", type)
        .with("hard", new JsonNumber(Long.toUnsignedString(hard)))
        .with("soft", new JsonNumber(Long.toUnsignedString(soft)));
  }
}

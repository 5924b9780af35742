package io.jcontainerd.oci.runtime;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.util.List;

/**
 * One entry of {@code mounts}: something mounted inside the container.
 *
 * @param destination the path inside, absolute
 * @param type the file system or {@code bind}; may be empty in documents of others
 * @param source a device, a path outside for binds, or a name
 * @param options as in mount(8)
 */
public record SpecMount(String destination, String type, String source, List<String> options) {
  /** Copies the options and refuses an empty destination. */
  public SpecMount {
    if (destination.isEmpty()) {
      throw new InvalidArgumentException("mount: destination is required");
    }
    options = List.copyOf(options);
  }

  /** A recursive bind mount that the container may write to. */
  public static SpecMount bind(String source, String destination) {
    return new SpecMount(destination, "bind", source, List.of("rbind", "rw"));
  }

  /** A recursive bind mount that the container may only read. */
  public static SpecMount readOnlyBind(String source, String destination) {
    return new SpecMount(destination, "bind", source, List.of("rbind", "ro"));
  }

  static SpecMount of(JsonObject json) {
    return new SpecMount(
        json.string("destination").orElse(""),
        json.string("type").orElse(""),
        json.string("source").orElse(""),
        json.strings("options"));
  }

  JsonObject json() {
    return JsonObject.EMPTY
        .with("destination", destination)
        .with("type", type)
        .with("source", source)
        .with("options", JsonArray.ofStrings(options));
  }
}

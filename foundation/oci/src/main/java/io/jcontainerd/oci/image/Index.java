package io.jcontainerd.oci.image;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A list of manifests, usually of one image for several platforms.
 *
 * @param mediaType OCI's or Docker's
 * @param manifests what it lists
 * @param annotations notes
 */
public record Index(String mediaType, List<Entry> manifests, Map<String, String> annotations)
    implements ImageDocument {
  /**
   * One manifest, or a further index.
   *
   * @param descriptor where it is
   * @param platform what it runs on, when told
   */
  public record Entry(Descriptor descriptor, Optional<Platform> platform) {
    static Entry of(JsonObject json) {
      return new Entry(Descriptors.parse(json), json.object("platform").map(Index::platform));
    }

    JsonObject json() {
      JsonObject json = Descriptors.json(descriptor);
      return platform.map(p -> json.with("platform", Index.json(p))).orElse(json);
    }
  }

  /** Refuses types that are no index, and copies. */
  public Index {
    if (!MediaTypes.isIndex(mediaType)) {
      throw new InvalidArgumentException("not an index: " + mediaType);
    }
    manifests = List.copyOf(manifests);
    annotations = Map.copyOf(annotations);
  }

  /** An OCI index without annotations. */
  public Index(List<Entry> manifests) {
    this(MediaTypes.INDEX, manifests, Map.of());
  }

  static Index of(JsonObject json, String mediaType) {
    return new Index(
        mediaType,
        json.objects("manifests").stream().map(Entry::of).toList(),
        json.stringMap("annotations"));
  }

  static Platform platform(JsonObject json) {
    return new Platform(
        json.string("os").orElse(""),
        json.string("architecture").orElse(""),
        json.string("variant").orElse(""),
        json.string("os.version").orElse(""),
        json.strings("os.features"));
  }

  private static JsonObject json(Platform platform) {
    JsonObject json =
        JsonObject.EMPTY.with("architecture", platform.architecture()).with("os", platform.os());
    if (!platform.variant().isEmpty()) {
      json = json.with("variant", platform.variant());
    }
    if (!platform.osVersion().isEmpty()) {
      json = json.with("os.version", platform.osVersion());
    }
    if (!platform.osFeatures().isEmpty()) {
      json = json.with("os.features", JsonArray.ofStrings(platform.osFeatures()));
    }
    return json;
  }

  @Override
  public byte[] toBytes() {
    JsonObject json =
        JsonObject.EMPTY
            .with("schemaVersion", 2)
            .with("mediaType", mediaType)
            .with("manifests", JsonArray.of(manifests, Entry::json));
    return (annotations.isEmpty()
            ? json
            : json.with("annotations", JsonObject.ofStrings(annotations)))
        .toBytes();
  }
}

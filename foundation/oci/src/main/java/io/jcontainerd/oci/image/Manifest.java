package io.jcontainerd.oci.image;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.util.List;
import java.util.Map;

/**
 * What an image for one platform consists of.
 *
 * @param mediaType OCI's or Docker's
 * @param config how to run it
 * @param layers its file system, base first
 * @param annotations notes
 */
public record Manifest(
    String mediaType, Descriptor config, List<Descriptor> layers, Map<String, String> annotations)
    implements ImageDocument {
  /** Refuses types that are no manifest, and copies. */
  public Manifest {
    if (!MediaTypes.isManifest(mediaType)) {
      throw new InvalidArgumentException("not a manifest: " + mediaType);
    }
    layers = List.copyOf(layers);
    annotations = Map.copyOf(annotations);
  }

  /** An OCI manifest without annotations. */
  public Manifest(Descriptor config, List<Descriptor> layers) {
    this(MediaTypes.MANIFEST, config, layers, Map.of());
  }

  static Manifest of(JsonObject json, String mediaType) {
    Descriptor config =
        Descriptors.parse(
            json.object("config")
                .orElseThrow(() -> new InvalidArgumentException("manifest without a config")));
    return new Manifest(
        mediaType,
        config,
        json.objects("layers").stream().map(Descriptors::parse).toList(),
        json.stringMap("annotations"));
  }

  @Override
  public byte[] toBytes() {
    JsonObject json =
        JsonObject.EMPTY
            .with("schemaVersion", 2)
            .with("mediaType", mediaType)
            .with("config", Descriptors.json(config))
            .with("layers", JsonArray.of(layers, Descriptors::json));
    return (annotations.isEmpty()
            ? json
            : json.with("annotations", JsonObject.ofStrings(annotations)))
        .toBytes();
  }
}

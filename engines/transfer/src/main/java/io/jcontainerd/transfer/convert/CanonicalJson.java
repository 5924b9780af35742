package io.jcontainerd.transfer.convert;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.oci.json.Json;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Documents as containerd's converter writes them, so that both make the same of an image: known
 * fields in a known order, annotations by name, nothing else, and three characters escaped that
 * need not be.
 */
final class CanonicalJson {
  private static final List<String> MANIFEST =
      List.of("schemaVersion", "mediaType", "artifactType", "config", "layers", "subject");
  private static final List<String> INDEX =
      List.of("schemaVersion", "mediaType", "artifactType", "manifests", "subject");
  private static final List<String> PLATFORM =
      List.of("architecture", "os", "os.version", "os.features", "variant");

  private CanonicalJson() {}

  static JsonObject manifest(JsonObject manifest) {
    return annotated(manifest, sorted(manifest, MANIFEST));
  }

  static JsonObject index(JsonObject index) {
    return annotated(index, sorted(index, INDEX));
  }

  /** A descriptor that may name another blob, of which neither bytes nor addresses are known. */
  static JsonObject descriptor(JsonObject before, Descriptor now) {
    JsonObject changed =
        before
            .with("mediaType", now.mediaType())
            .with("digest", now.digest().toString())
            .with("size", now.size());
    boolean isSame = before.string("digest").equals(Optional.of(now.digest().toString()));
    return descriptor(isSame ? changed : changed.without("data").without("urls"));
  }

  static JsonObject descriptor(JsonObject descriptor) {
    JsonObject ordered = sorted(descriptor, List.of("mediaType", "digest", "size", "urls"));
    ordered = annotated(descriptor, ordered);
    for (String name : List.of("data", "platform", "artifactType")) {
      if (descriptor.field(name).isPresent()) {
        Json value = descriptor.fields().getOrDefault(name, JsonObject.EMPTY);
        ordered =
            ordered.with(
                name, value instanceof JsonObject object ? sorted(object, PLATFORM) : value);
      }
    }
    return ordered;
  }

  private static JsonObject sorted(JsonObject object, List<String> names) {
    JsonObject ordered = JsonObject.EMPTY;
    for (String name : names) {
      Json value = object.fields().get(name);
      if (value != null) {
        ordered =
            ordered.with(
                name,
                switch (value) {
                  case JsonObject inner when !name.equals("platform") -> descriptor(inner);
                  case JsonArray inner when name.equals("layers") || name.equals("manifests") ->
                      JsonArray.of(inner.objects(), CanonicalJson::descriptor);
                  case Json other -> other;
                });
      }
    }
    return ordered;
  }

  private static JsonObject annotated(JsonObject from, JsonObject to) {
    Map<String, String> annotations = from.stringMap("annotations");
    return annotations.isEmpty() ? to : to.with("annotations", JsonObject.ofStrings(annotations));
  }

  /** The three characters stand in no other place than in texts. */
  static byte[] bytes(JsonObject document) {
    return document
        .toText()
        .replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .getBytes(StandardCharsets.UTF_8);
  }
}

package io.jcontainerd.oci.image;

import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import java.util.Optional;

/** What an image name can point at: a manifest, or an index of manifests. */
public sealed interface ImageDocument permits Manifest, Index {
  /** No document of this kind is longer, in bytes. */
  int LONGEST = 8 << 20;

  /** The type that the document has, in OCI's or Docker's words. */
  String mediaType();

  /** The document as UTF-8 JSON. */
  byte[] toBytes();

  /**
   * Reads a document whose type somebody told: a registry, or the descriptor that led here.
   *
   * <p>A document that claims another type than the one told, or that could be read both as a
   * manifest and as an index, is refused, so that no two readers can take it differently.
   *
   * @param bytes the document
   * @param mediaType its type; empty when unknown
   * @throws InvalidArgumentException when it is anything else, Docker schema 1 included
   */
  static ImageDocument parse(byte[] bytes, String mediaType) {
    refuseSchema1(mediaType);
    if (bytes.length > LONGEST) {
      throw new InvalidArgumentException(
          "image document of " + bytes.length + " bytes is longer than " + LONGEST);
    }
    JsonObject json = JsonObject.parse(bytes);
    String claimed = json.string("mediaType").orElse("");
    refuseSchema1(claimed);
    if (json.integer("schemaVersion").orElse(0) == 1) {
      refuseSchema1("application/vnd.docker.distribution.manifest.v1+json");
    }
    if (!claimed.isEmpty() && !mediaType.isEmpty() && !claimed.equals(mediaType)) {
      throw new InvalidArgumentException(
          "image document claims to be " + claimed + " but was announced as " + mediaType);
    }
    boolean manifests = json.field("manifests").isPresent();
    boolean layers = json.field("layers").isPresent() || json.field("config").isPresent();
    if (manifests && layers) {
      throw new InvalidArgumentException("image document is both a manifest and an index");
    }
    String type =
        Optional.of(claimed)
            .filter(c -> !c.isEmpty())
            .orElseGet(() -> mediaType.isEmpty() ? guess(manifests, layers) : mediaType);
    if (MediaTypes.isIndex(type)) {
      if (layers) {
        throw new InvalidArgumentException("image document " + type + " has layers");
      }
      return Index.of(json, type);
    }
    if (MediaTypes.isManifest(type)) {
      if (manifests) {
        throw new InvalidArgumentException("image document " + type + " has manifests");
      }
      return Manifest.of(json, type);
    }
    throw new InvalidArgumentException("image document of unsupported type " + type);
  }

  private static String guess(boolean manifests, boolean layers) {
    if (manifests) {
      return MediaTypes.INDEX;
    }
    if (layers) {
      return MediaTypes.MANIFEST;
    }
    throw new InvalidArgumentException("image document is neither a manifest nor an index");
  }

  /** Refuses a type before its bytes are fetched, with the sentence that {@link #parse} has. */
  static void checkType(String mediaType) {
    refuseSchema1(mediaType);
    if (!MediaTypes.isIndex(mediaType) && !MediaTypes.isManifest(mediaType)) {
      throw new InvalidArgumentException("image document of unsupported type " + mediaType);
    }
  }

  private static void refuseSchema1(String mediaType) {
    if (MediaTypes.isSchema1(mediaType)) {
      throw new InvalidArgumentException(
          "docker schema 1 manifest "
              + mediaType
              + " is not supported; build and push the image again with a current tool");
    }
  }
}

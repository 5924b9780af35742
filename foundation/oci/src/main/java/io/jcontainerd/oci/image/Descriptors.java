package io.jcontainerd.oci.image;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.Digest;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonArray;
import io.jcontainerd.oci.json.JsonObject;

/** Descriptors as they stand in JSON documents. */
public final class Descriptors {
  private Descriptors() {}

  /**
   * Reads a descriptor.
   *
   * @throws InvalidArgumentException when digest or size are missing or nonsense
   */
  public static Descriptor parse(JsonObject json) {
    String digest =
        json.string("digest")
            .orElseThrow(() -> new InvalidArgumentException("descriptor without a digest"));
    long size =
        json.integer("size")
            .orElseThrow(
                () -> new InvalidArgumentException("descriptor " + digest + " without a size"));
    if (size < 0) {
      throw new InvalidArgumentException(
          "descriptor " + digest + ": size " + size + " is negative");
    }
    return new Descriptor(
        json.string("mediaType").orElse(""),
        Digest.parse(digest),
        size,
        json.stringMap("annotations"),
        json.strings("urls"));
  }

  /** The descriptor as JSON; empty parts are left out. */
  public static JsonObject json(Descriptor descriptor) {
    JsonObject json =
        JsonObject.EMPTY
            .with("mediaType", descriptor.mediaType())
            .with("digest", descriptor.digest().toString())
            .with("size", descriptor.size());
    if (!descriptor.urls().isEmpty()) {
      json = json.with("urls", JsonArray.ofStrings(descriptor.urls()));
    }
    return descriptor.annotations().isEmpty()
        ? json
        : json.with("annotations", JsonObject.ofStrings(descriptor.annotations()));
  }

  /** The descriptor of a blob that is at hand. */
  public static Descriptor of(String mediaType, byte[] blob) {
    return new Descriptor(mediaType, Digest.sha256(blob), blob.length);
  }
}

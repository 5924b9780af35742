package io.jcontainerd.oci.image;

import io.jcontainerd.core.Digest;
import io.jcontainerd.core.Platform;
import io.jcontainerd.core.failure.InvalidArgumentException;
import io.jcontainerd.oci.json.JsonObject;
import java.util.List;
import java.util.Map;

/**
 * How to run an image: a view over its configuration document, which keeps what has no method here.
 *
 * @param json the document
 */
public record ImageConfig(JsonObject json) {
  /**
   * Reads a document.
   *
   * @throws InvalidArgumentException when it is not a JSON object
   */
  public static ImageConfig parse(byte[] bytes) {
    return new ImageConfig(JsonObject.parse(bytes));
  }

  /** What the image runs on. */
  public Platform platform() {
    return Index.platform(json);
  }

  /**
   * The digests of the uncompressed layers, base first.
   *
   * @throws InvalidArgumentException when the document has another kind of root
   */
  public List<Digest> diffIds() {
    JsonObject rootfs = json.object("rootfs").orElse(JsonObject.EMPTY);
    String type = rootfs.string("type").orElse("layers");
    if (!type.equals("layers")) {
      throw new InvalidArgumentException("image config: rootfs type " + type + " is not supported");
    }
    return rootfs.strings("diff_ids").stream().map(Digest::parse).toList();
  }

  /** The environment as {@code NAME=value}. */
  public List<String> env() {
    return config().strings("Env");
  }

  /** What is put before the arguments. */
  public List<String> entrypoint() {
    return config().strings("Entrypoint");
  }

  /** The arguments when none are given. */
  public List<String> command() {
    return config().strings("Cmd");
  }

  /** The working folder; may be empty. */
  public String workingDir() {
    return config().string("WorkingDir").orElse("");
  }

  /** {@code user[:group]}, names or numbers; may be empty. */
  public String user() {
    return config().string("User").orElse("");
  }

  /** The signal that asks the image's program to end; may be empty. */
  public String stopSignal() {
    return config().string("StopSignal").orElse("");
  }

  /** Labels that the image's maker gave. */
  public Map<String, String> labels() {
    return config().stringMap("Labels");
  }

  private JsonObject config() {
    return json.object("config").orElse(JsonObject.EMPTY);
  }

  /** The document as UTF-8. */
  public byte[] toBytes() {
    return json.toBytes();
  }
}

package io.jcontainerd.core;

import io.jcontainerd.core.failure.InvalidArgumentException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The rules of labels, and the keys that mean something to the daemon. */
public final class Labels {
  /** The most bytes that a label's key and value may have together. */
  public static final int MAX_BYTES = 4096;

  /** On content: the digest of the uncompressed bytes. */
  public static final String UNCOMPRESSED = "containerd.io/uncompressed";

  /** Prefix, followed by a registry's host: repositories that hold the blob, comma separated. */
  public static final String DISTRIBUTION_SOURCE = "containerd.io/distribution.source.";

  /** On a snapshot being prepared: the chain id that it shall be committed as. */
  public static final String SNAPSHOT_REF = "containerd.io/snapshot.ref";

  /** On a snapshot being prepared: the chain id of the layers below. */
  public static final String PARENT_CHAIN_ID = "containerd.io/snapshot/parent-chain-id";

  /** On a snapshot being prepared: the digest of the uncompressed layer. */
  public static final String DIFF_ID = "containerd.io/snapshot/diff-id";

  /** Prefix of the labels that a snapshotter gets to see. */
  public static final String SNAPSHOT_PREFIX = "containerd.io/snapshot/";

  /** On a namespace: whether other namespaces may use its content under the isolated policy. */
  public static final String SHAREABLE = "containerd.io/namespace.shareable";

  private static final int SHOWN_KEY = 64;

  private Labels() {}

  /**
   * Checks the sizes.
   *
   * @throws InvalidArgumentException if a label has more than {@value #MAX_BYTES} bytes
   */
  public static Map<String, String> check(Map<String, String> labels) {
    labels.forEach(Labels::check);
    return labels;
  }

  /**
   * What is stored of labels that were checked: one without a value is as good as none.
   *
   * @throws InvalidArgumentException if a label has more than {@value #MAX_BYTES} bytes
   */
  public static Map<String, String> stored(Map<String, String> labels) {
    check(labels);
    if (!labels.containsValue("")) {
      return labels;
    }
    Map<String, String> kept = new HashMap<>(labels);
    kept.values().removeIf(String::isEmpty);
    return Map.copyOf(kept);
  }

  private static void check(String key, String value) {
    int bytes = bytes(key) + bytes(value);
    if (bytes > MAX_BYTES) {
      String shown = key.length() > SHOWN_KEY ? key.substring(0, SHOWN_KEY) : key;
      throw new InvalidArgumentException(
          "label key and value length (%d bytes) greater than maximum size (%d bytes), key: %s"
              .formatted(bytes, MAX_BYTES, shown));
    }
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}

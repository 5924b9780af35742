package io.jcontainerd.transfer.archive;

import io.jcontainerd.oci.image.Index;
import io.jcontainerd.oci.image.Manifest;
import java.util.HashMap;
import java.util.Map;

/** The labels by which a document keeps what it refers to from the garbage collector. */
final class ChildLabels {
  private static final String PREFIX = "containerd.io/gc.ref.content.";

  private ChildLabels() {}

  static Map<String, String> of(Manifest manifest) {
    Map<String, String> labels = new HashMap<>();
    labels.put(PREFIX + "config", manifest.config().digest().toString());
    for (int i = 0; i < manifest.layers().size(); i++) {
      labels.put(PREFIX + "l." + i, manifest.layers().get(i).digest().toString());
    }
    return labels;
  }

  static Map<String, String> of(Index index) {
    Map<String, String> labels = new HashMap<>();
    for (int i = 0; i < index.manifests().size(); i++) {
      labels.put(PREFIX + "m." + i, index.manifests().get(i).descriptor().digest().toString());
    }
    return labels;
  }
}

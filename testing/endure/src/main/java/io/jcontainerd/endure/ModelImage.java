package io.jcontainerd.endure;

import io.jcontainerd.core.Digest;
import io.jcontainerd.endure.Layer.Blob;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An image that was made out of its number.
 *
 * @param layers base first
 * @param chain the names of its snapshots, that of the base first
 */
record ModelImage(int number, List<Layer> layers, List<Digest> chain, Blob config, Blob manifest) {

  /** Every blob, the manifest last. */
  List<Blob> blobs() {
    List<Blob> all = new ArrayList<>();
    layers.forEach(layer -> all.add(layer.blob()));
    all.add(config);
    all.add(manifest);
    return all;
  }

  /** The name of the snapshot of all layers. */
  String top() {
    return chain.getLast().toString();
  }

  /** What a manifest's labels must say, so that its parts are kept. */
  Map<String, String> references() {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("containerd.io/gc.ref.content.config", config.digest().toString());
    for (int i = 0; i < layers.size(); i++) {
      labels.put("containerd.io/gc.ref.content.l." + i, layers.get(i).blob().digest().toString());
    }
    return labels;
  }
}

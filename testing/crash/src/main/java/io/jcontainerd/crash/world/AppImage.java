package io.jcontainerd.crash.world;

import io.jcontainerd.core.Digest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An image: a manifest, a configuration and layers, the lowest first.
 *
 * @param name under which it is stored
 */
public record AppImage(String name, List<Layer> layers) {
  /** Copies the layers. */
  public AppImage {
    layers = List.copyOf(layers);
  }

  /** The bytes of the configuration. */
  public byte[] config() {
    return ("config of " + name + " " + chains()).getBytes(StandardCharsets.UTF_8);
  }

  /** The bytes of the manifest. */
  public byte[] manifest() {
    return ("manifest of " + name + " " + Digest.sha256(config()) + " " + chains())
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Names of the committed snapshots, in the order of the layers. */
  public List<String> chains() {
    List<String> chains = new ArrayList<>();
    for (Layer layer : layers) {
      String diff = layer.digest().toString();
      chains.add(
          chains.isEmpty()
              ? diff
              : Digest.sha256((chains.getLast() + " " + diff).getBytes(StandardCharsets.UTF_8))
                  .toString());
    }
    return chains;
  }

  /** Every blob by its digest, in the order in which they are fetched. */
  public Map<Digest, byte[]> blobs() {
    Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    blobs.put(Digest.sha256(manifest()), manifest());
    blobs.put(Digest.sha256(config()), config());
    layers.forEach(layer -> blobs.put(layer.digest(), layer.bytes()));
    return blobs;
  }
}

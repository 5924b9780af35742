package io.jcontainerd.oci.image;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Digest;
import java.util.ArrayList;
import java.util.List;

/**
 * Names of stacks of layers (OCI image-spec, config, "Layer ChainID"): the name of a stack of one
 * is the layer's diff id, of a higher one the hash over the name of what lies below and the layer's
 * diff id.
 */
public final class ChainIds {
  private ChainIds() {}

  /**
   * The name of each stack, the lowest first.
   *
   * @param diffIds the digests of the uncompressed layers, base first
   */
  public static List<Digest> of(List<Digest> diffIds) {
    List<Digest> chain = new ArrayList<>();
    for (Digest diffId : diffIds) {
      chain.add(chain.isEmpty() ? diffId : on(chain.getLast(), diffId));
    }
    return List.copyOf(chain);
  }

  /** The name of a stack with one more layer on it. */
  public static Digest on(Digest below, Digest diffId) {
    return Digest.sha256((below + " " + diffId).getBytes(UTF_8));
  }
}

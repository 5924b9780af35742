package io.jcontainerd.oci.image;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jcontainerd.core.Digest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Names of stacks of layers (OCI image-spec, config, "Layer ChainID"): the name of a stack of one
 * is the layer's diff id, of a higher one the hash over the name of what lies below and the layer's
 * diff id.
 */
public final class ChainIds {
  private static final String UNPACKING = "extract-";

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

  /**
   * A new key for the snapshot that a stack is unpacked into, in the form by which snapshotters
   * know unpackers.
   *
   * @param chainId the name that the stack will have
   */
  public static String unpackKey(String chainId) {
    byte[] random = new byte[6];
    ThreadLocalRandom.current().nextBytes(random);
    String suffix = Base64.getUrlEncoder().encodeToString(random);
    return UNPACKING + System.nanoTime() + "-" + suffix + " " + chainId;
  }

  /** Whether a snapshot's key is one of a layer that is being unpacked. */
  public static boolean isUnpackingKey(String key) {
    return key.startsWith(UNPACKING);
  }
}

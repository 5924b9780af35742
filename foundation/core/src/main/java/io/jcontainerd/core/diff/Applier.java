package io.jcontainerd.core.diff;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.mount.Mount;
import java.util.List;
import java.util.Map;

/** Puts a layer into a tree. */
public interface Applier {
  /**
   * Extracts a layer that the content store of the call's namespace holds.
   *
   * @param layer the blob, compressed or not
   * @param mounts the tree
   * @return the uncompressed layer: its media type, digest (the diff id) and size
   * @throws io.jcontainerd.core.failure.NotImplementedException if this applier does not know the
   *     media type
   */
  Descriptor apply(Descriptor layer, List<Mount> mounts, Options options);

  /**
   * How to apply.
   *
   * @param payloads by stream processor id
   * @param syncFs whether the file system is synchronised before the answer
   */
  record Options(Map<String, TypedValue> payloads, boolean syncFs) {
    /** Copies the payloads. */
    public Options {
      payloads = Map.copyOf(payloads);
    }
  }
}

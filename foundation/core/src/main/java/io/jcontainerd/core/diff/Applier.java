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
   * @param isStandalone whether the tree will be put on another that cannot be seen yet; a layer
   *     that depends on what is there fails with {@link
   *     io.jcontainerd.core.failure.FailedPreconditionException}
   */
  record Options(Map<String, TypedValue> payloads, boolean syncFs, boolean isStandalone) {
    /** Copies the payloads. */
    public Options {
      payloads = Map.copyOf(payloads);
    }

    /** For a tree that stays what it is. */
    public Options(Map<String, TypedValue> payloads, boolean syncFs) {
      this(payloads, syncFs, false);
    }

    /** The same for a tree that will be put on another. */
    public Options standalone() {
      return new Options(payloads, syncFs, true);
    }
  }
}

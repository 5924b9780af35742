package io.jcontainerd.core.diff;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.TypedValue;
import io.jcontainerd.core.content.ContentReader;
import io.jcontainerd.core.failure.NotImplementedException;
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
   * @throws NotImplementedException if this applier does not know the media type
   */
  Descriptor apply(Descriptor layer, List<Mount> mounts, Options options);

  /**
   * Extracts a layer whose blob may still be on its way.
   *
   * @param blob its bytes, all of them in the end: reading waits for those that are still to come.
   *     Stays the caller's to close
   * @throws NotImplementedException before anything is extracted, also if this applier takes layers
   *     from the content store alone
   */
  default Descriptor apply(
      Descriptor layer, ContentReader blob, List<Mount> mounts, Options options) {
    throw new NotImplementedException("layer " + layer.digest() + ": its blob must have come");
  }

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

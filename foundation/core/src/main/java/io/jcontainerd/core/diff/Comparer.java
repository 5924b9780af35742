package io.jcontainerd.core.diff;

import io.jcontainerd.core.Descriptor;
import io.jcontainerd.core.mount.Mount;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes a layer from the difference of two trees. */
public interface Comparer {
  /**
   * Writes the layer into the content store of the call's namespace.
   *
   * @param lower the tree before
   * @param upper the tree after
   * @return the blob
   * @throws io.jcontainerd.core.failure.NotImplementedException if this comparer does not know the
   *     media type
   */
  Descriptor compare(List<Mount> lower, List<Mount> upper, Options options);

  /**
   * How to compare.
   *
   * @param mediaType of the blob; empty for OCI tar with gzip
   * @param ref of the ingest; empty for one made up
   * @param labels given to the blob
   * @param sourceDateEpoch the latest time that may appear in the layer
   */
  record Options(
      String mediaType, String ref, Map<String, String> labels, Optional<Instant> sourceDateEpoch) {
    /** Copies the labels. */
    public Options {
      labels = Map.copyOf(labels);
    }
  }
}

package io.jcontainerd.selfcheck;

import io.jcontainerd.core.check.CheckedBlobs;
import io.jcontainerd.core.check.CheckedTrees;
import io.jcontainerd.core.check.StorageRecords;
import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.core.diff.Applier;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.registry.Registry;
import java.util.Map;
import java.util.Optional;

/**
 * What is looked after, and with what.
 *
 * @param blobs of the backend
 * @param content the same blobs, for bringing them again
 * @param trees of each snapshotter that can be checked, by name
 * @param records what belongs to whom
 * @param applier unpacks blobs of {@code content}
 * @param registry where blobs can be fetched again; empty if they must not be
 * @param time the clock
 */
public record Parts(
    CheckedBlobs blobs,
    ContentStore content,
    Map<String, CheckedTrees> trees,
    StorageRecords records,
    Applier applier,
    Optional<Registry> registry,
    Time time) {
  /** Copies the map. */
  public Parts {
    trees = Map.copyOf(trees);
  }
}

package io.jcontainerd.snapshots.manifest;

import io.jcontainerd.core.snapshots.Usage;

/**
 * A tree that was recorded.
 *
 * @param sum of the manifest's bytes
 * @param entries names in it
 * @param bytes of the manifest
 * @param complete whether the sum of every file is known
 * @param usage what the tree takes
 */
public record Recorded(long sum, long entries, long bytes, boolean complete, Usage usage) {}

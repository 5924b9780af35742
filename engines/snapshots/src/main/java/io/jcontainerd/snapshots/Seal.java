package io.jcontainerd.snapshots;

import io.jcontainerd.core.check.CheckedTrees.Source;
import java.util.Optional;

/**
 * What is recorded of a committed snapshot's tree.
 *
 * @param sum of its manifest
 * @param entries names in it
 * @param complete whether every file has a sum
 * @param source the one blob that it was unpacked from
 */
record Seal(long sum, long entries, boolean complete, Optional<Source> source) {}

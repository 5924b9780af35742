package io.jcontainerd.transfer.archive;

import java.util.Optional;

/** How many bytes can still be written where blobs go. Safe for many threads. */
@FunctionalInterface
public interface FreeSpace {
  /** Nobody knows. */
  FreeSpace UNKNOWN = Optional::empty;

  /** As of now; empty if nobody knows. */
  Optional<Long> bytes();
}

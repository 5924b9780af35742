package io.jcontainerd.transfer;

import java.util.Optional;

/** How much room is left where images go. Safe for many threads. */
public interface DiskSpace {
  /** Nobody knows. */
  DiskSpace UNKNOWN =
      new DiskSpace() {
        @Override
        public Optional<Room> ofContent() {
          return Optional.empty();
        }

        @Override
        public Optional<Room> ofSnapshotter(String name) {
          return Optional.empty();
        }
      };

  /**
   * Room in one file system.
   *
   * @param fileSystem tells it from others
   * @param availableBytes what can still be written
   */
  record Room(String fileSystem, long availableBytes) {}

  /** Where blobs go; empty if nobody knows. */
  Optional<Room> ofContent();

  /** Where a snapshotter unpacks; empty if nobody knows. */
  Optional<Room> ofSnapshotter(String name);
}

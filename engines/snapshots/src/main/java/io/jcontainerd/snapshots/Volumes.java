package io.jcontainerd.snapshots;

import io.jcontainerd.linux.Subvolumes;
import java.io.IOException;
import java.nio.file.Path;

/** What the btrfs snapshotter asks of its file system. Safe for many threads. */
interface Volumes {
  /** Makes an empty subvolume. */
  void create(Path path) throws IOException;

  /** Makes a subvolume that holds what another one holds. */
  void snapshot(Path from, Path to, boolean readOnly) throws IOException;

  /** Removes a subvolume. */
  void delete(Path path) throws IOException;

  /** Whether it is a subvolume. */
  boolean exists(Path path) throws IOException;

  /** The number under which it can be mounted. */
  long id(Path path) throws IOException;

  /** Those of this machine. */
  Volumes LINUX =
      new Volumes() {
        @Override
        public void create(Path path) throws IOException {
          Subvolumes.create(path);
        }

        @Override
        public void snapshot(Path from, Path to, boolean readOnly) throws IOException {
          Subvolumes.snapshot(from, to, readOnly);
        }

        @Override
        public void delete(Path path) throws IOException {
          Subvolumes.delete(path);
        }

        @Override
        public boolean exists(Path path) throws IOException {
          return Subvolumes.is(path);
        }

        @Override
        public long id(Path path) throws IOException {
          return Subvolumes.id(path);
        }
      };
}

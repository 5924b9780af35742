package io.jcontainerd.mounts;

import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Does mounts of one type. Safe for many threads. */
public interface MountHandler {
  /** The type. */
  String type();

  /**
   * Does a mount; after a failure nothing of it is left.
   *
   * @param at a name that is free, in a folder that is there
   * @return the mount as it was done
   */
  Mount mount(Mount mount, Path at) throws IOException;

  /** Undoes a mount; no failure if there is none. */
  void unmount(Path at) throws IOException;

  /** Whether it is there. */
  boolean isMounted(Path at, List<Path> mountPoints) throws IOException;
}

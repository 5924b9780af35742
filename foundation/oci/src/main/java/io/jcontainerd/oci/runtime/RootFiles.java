package io.jcontainerd.oci.runtime;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Reads single small files of a container's root, such as its passwd file. */
@FunctionalInterface
public interface RootFiles {
  /** Files longer than this are not read. */
  int LONGEST = 16 << 20;

  /**
   * The content of a regular file; empty when there is none at the path.
   *
   * @param path inside the root, with or without a leading slash; symbolic links are followed but
   *     never out of the root
   * @throws io.jcontainerd.core.failure.UnavailableException when the file is there but cannot be
   *     read
   */
  Optional<byte[]> read(String path);

  /** The files below one folder. */
  static RootFiles in(Path root) {
    return new LayeredRootFiles(List.of(root));
  }

  /**
   * The files of an overlay that need not be mounted.
   *
   * @param layers the folders, topmost first; a 0/0 character device in one hides what lies below
   */
  static RootFiles layered(List<Path> layers) {
    return new LayeredRootFiles(layers);
  }
}

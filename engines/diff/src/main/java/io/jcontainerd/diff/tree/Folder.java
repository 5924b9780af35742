package io.jcontainerd.diff.tree;

import io.jcontainerd.core.RawPath;
import io.jcontainerd.linux.Directory;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A folder of the tree, open in the place where changes go. */
final class Folder {
  final RawPath path;
  final Optional<Folder> parent;
  final Directory handle;

  /** Whether nothing of the lower folders is seen here. */
  boolean opaque;

  /** The lower folders that are seen here, topmost first; null until somebody asks. */
  @Nullable List<Integer> lowers;

  Folder(RawPath path, Optional<Folder> parent, Directory handle) {
    this.path = path;
    this.parent = parent;
    this.handle = handle;
  }
}

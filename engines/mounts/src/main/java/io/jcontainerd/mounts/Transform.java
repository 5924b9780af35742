package io.jcontainerd.mounts;

import io.jcontainerd.core.mount.ActiveMount;
import io.jcontainerd.core.mount.Mount;
import java.io.IOException;
import java.util.List;

/** What a prefix of a type asks for. */
@FunctionalInterface
interface Transform {
  /** Does it, and returns the mount without what it asked for. */
  Mount apply(Mount mount, List<ActiveMount> earlier) throws IOException;
}

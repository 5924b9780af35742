package io.jcontainerd.oci.runtime;

import java.util.Optional;

/**
 * What an option may need to know beside the specification itself.
 *
 * @param namespace containerd's namespace of the container
 * @param id the container's id
 * @param rootfs the files of the container's root; empty when nobody can look inside yet
 */
public record SpecContext(String namespace, String id, Optional<RootFiles> rootfs) {
  /** A context that cannot look into the container's root. */
  public static SpecContext of(String namespace, String id) {
    return new SpecContext(namespace, id, Optional.empty());
  }

  /** The same with files to look into. */
  public SpecContext withRootfs(RootFiles files) {
    return new SpecContext(namespace, id, Optional.of(files));
  }
}

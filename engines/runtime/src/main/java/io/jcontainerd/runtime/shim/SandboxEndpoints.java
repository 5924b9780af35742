package io.jcontainerd.runtime.shim;

import java.util.Optional;

/** Where sandboxes serve the tasks of their containers. Safe for many threads. */
@FunctionalInterface
public interface SandboxEndpoints {
  /** No sandbox serves tasks. */
  SandboxEndpoints NONE = (_, _) -> Optional.empty();

  /** The shim of a sandbox, if it serves the tasks of the sandbox's containers. */
  Optional<ShimAddress> find(String namespace, String sandbox);
}

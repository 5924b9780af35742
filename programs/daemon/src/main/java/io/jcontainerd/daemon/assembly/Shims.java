package io.jcontainerd.daemon.assembly;

import io.jcontainerd.runtime.bundle.Bundles;
import io.jcontainerd.runtime.shim.BinaryShimLauncher;
import io.jcontainerd.runtime.shim.FifoShimLogs;
import io.jcontainerd.runtime.shim.HostShimLauncher;
import io.jcontainerd.runtime.shim.ShimLauncher;
import java.io.IOException;
import java.util.List;

/**
 * The ways of having shims: our host for the default runtime, and other shims' programs.
 *
 * @param launchers in the order in which they are asked
 * @param sandboxBundles those of sandboxes, apart from those of tasks
 * @param sandboxLauncher starts the shims of sandboxes
 * @param choice the OCI runtime of containers that ask for none
 */
record Shims(
    Bundles bundles,
    List<ShimLauncher> launchers,
    HostShimLauncher host,
    Bundles sandboxBundles,
    BinaryShimLauncher sandboxLauncher,
    FifoShimLogs logs,
    RuntimeChoice choice)
    implements AutoCloseable {
  Shims {
    launchers = List.copyOf(launchers);
  }

  /** Lets go of the shims; they live on. */
  @Override
  public void close() throws IOException {
    try (logs;
        host) {
      choice.close();
    }
  }
}

package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The overlay snapshotter of another process, as the daemon sees it. */
@Tag("root")
@SuppressWarnings("NullAway.Init")
class ProxySnapshotterTest extends SnapshotterFilesContract {
  @TempDir Path own;
  private EngineServer server;
  private final ProxyConnections connections = new ProxyConnections();

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  @Override
  protected Snapshotter open(Path root) throws Exception {
    if (server == null) {
      server = EngineServer.start(root, own);
    }
    return connections
        .to(server.socket().toString())
        .snapshotter(EngineServer.SNAPSHOTTER)
        .telling(Set.of("rebase"), Map.of("root", root.toString()));
  }

  @AfterEach
  final void stop() throws Exception {
    connections.close();
    if (server != null) {
      server.close();
    }
  }
}

package io.jcontainerd.daemon.assembly;

import io.jcontainerd.core.content.ContentStore;
import io.jcontainerd.testkit.contract.ContentStoreContract;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The content store of another process, as the daemon sees it. */
@Tag("root")
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class ProxyContentTest extends ContentStoreContract {
  @TempDir Path own;
  private EngineServer server;
  private final ProxyConnections connections = new ProxyConnections();

  @BeforeEach
  final void start() throws Exception {
    server = EngineServer.start(own.resolve("snapshots"), own);
  }

  @AfterEach
  final void stop() throws Exception {
    connections.close();
    server.close();
  }

  @Override
  protected ContentStore open() {
    return connections.to(server.socket().toString()).content();
  }

  /** A backend has no labels, and each piece of a blob is a call of its own. */
  @Override
  protected Set<Trait> leavesOut() {
    return EnumSet.of(Trait.LABELS, Trait.READS_WHAT_IS_DELETED, Trait.READS_INGESTS);
  }
}

package io.jcontainerd.metadata;

import io.jcontainerd.testkit.contract.DaemonContract;
import io.jcontainerd.testkit.contract.Stores;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every contract, over backends in memory. */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class StoredDaemonTest extends DaemonContract {
  @TempDir Path folder;
  private Fixture fixture;

  @BeforeEach
  void start() {
    fixture = new Fixture(folder, options());
  }

  @AfterEach
  void end() {
    fixture.close();
  }

  /** How the metadata behaves. */
  MetadataOptions options() {
    return MetadataOptions.DEFAULTS;
  }

  @Override
  protected Stores stores() {
    Metadata metadata = fixture.metadata;
    return new Stores(
        metadata.namespaces(),
        metadata.images(),
        metadata.containers(),
        metadata.content(),
        metadata.leases(),
        Fixture.SN,
        metadata.snapshotter(Fixture.SN));
  }

  @Override
  protected Instant now() {
    return fixture.time.now();
  }

  @Override
  protected Stores reopened() {
    fixture.reopen();
    return stores();
  }
}

package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.core.snapshots.Snapshotter;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;

@Tag("root")
@SuppressWarnings("NullAway.Init")
class NativeFilesTest extends SnapshotterFilesContract {
  private Store store;

  @BeforeEach
  void start() {
    store =
        Store.open(
            testFolder().resolve("store.db"),
            StoreOptions.DEFAULTS,
            List.of(SnapshotSchema.SCHEMA));
  }

  @AfterEach
  void stop() {
    store.close();
  }

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  @Override
  protected Snapshotter open(Path root) {
    var environment =
        new Environment(store, new LinuxFiles(), kernel(), new LinuxTrees(), Time.SYSTEM);
    return NativeSnapshotter.open(root, environment);
  }
}

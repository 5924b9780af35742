package io.jcontainerd.snapshots;

import io.jcontainerd.core.ports.Kernel;
import io.jcontainerd.core.ports.Time;
import io.jcontainerd.linux.LinuxFiles;
import io.jcontainerd.linux.LinuxKernel;
import io.jcontainerd.store.Store;
import io.jcontainerd.store.StoreOptions;
import io.jcontainerd.testkit.contract.SnapshotterFilesContract;
import io.jcontainerd.testkit.disk.LoopDisk;
import io.jcontainerd.testkit.leaks.LeakCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A snapshotter's root lies on a disk of its own, of which nothing may be left at the end. */
@SuppressWarnings("NullAway.Init")
abstract class DiskFilesTest extends SnapshotterFilesContract {
  @TempDir Path records;
  private Store store;
  private LeakCheck leaks;

  /** The file system of the disk. */
  abstract String ground();

  /** The size of the disk. */
  abstract long groundSize();

  private Path image() {
    return testFolder().resolve("disk/image");
  }

  @Override
  protected void prepareGround(Path folder) throws Exception {
    leaks = LeakCheck.begin(Files.createDirectory(testFolder().resolve("disk")), "");
    LoopDisk.mount(image(), folder, ground(), groundSize());
  }

  @Override
  protected void leaveGround() throws Exception {
    Files.delete(image());
    leaks.assertNothingLeft();
  }

  @BeforeEach
  final void openStore() {
    store =
        Store.open(
            records.resolve("store.db"), StoreOptions.DEFAULTS, List.of(SnapshotSchema.SCHEMA));
  }

  @AfterEach
  final void closeStore() {
    if (store != null) { // else the test was skipped before
      store.close();
    }
  }

  @Override
  protected Kernel newKernel(Path temporary) {
    return new LinuxKernel(temporary);
  }

  final Environment environment() {
    return new Environment(store, new LinuxFiles(), kernel(), new LinuxTrees(), Time.SYSTEM);
  }
}
